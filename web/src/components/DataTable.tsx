/**
 * A table of rows: sorted in the browser where all rows are there, else in the order of the
 * server; more than a hundred rows are drawn only where they are seen; a list of cards on a phone.
 * Rows are gone through with j and k, selected with x, opened with Enter. Those that open are one
 * stop of the Tab key: from there the arrows go on, also for who has turned letters off.
 */

import { Checkbox, Loader, UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import {
  createSortedRowModel,
  rowSortingFeature,
  type SortingState,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { cx } from "@/lib/cx";
import { type KeyMap, useKeys } from "@/lib/keys";
import { usePhone } from "@/lib/media";
import { usePrinting } from "@/lib/print";
import { common } from "@/strings/common";
import classes from "./DataTable.module.css";

export interface Column<T> {
  key: string;
  header: string;
  cell: (row: T) => ReactNode;
  /** What it is sorted by; without it the column does not sort. */
  sort?: (row: T) => string | number | null | undefined;
  align?: "start" | "end";
  /** CSS: `12rem`, `30%`. The table is laid out by these, not by its contents. */
  width?: string;
  /**
   * On a phone: the head of the card, left out, or a line with its name (the default); a
   * sentence has the whole width, and up to four lines.
   */
  card?: "head" | "none" | "line" | "sentence";
  /** There is room for it beside the drawer of a row, which says all the others. */
  beside?: true;
}

export interface Selection {
  ids: ReadonlySet<string>;
  onChange: (ids: Set<string>) => void;
}

interface Props<T> {
  label: string;
  columns: Column<T>[];
  rows: readonly T[];
  rowId: (row: T) => string;
  /** What a row is called, for its checkbox and link. */
  rowName?: (row: T) => string;
  onOpen?: (row: T) => void;
  selection?: Selection;
  /** Marks the row whose drawer is open. */
  current?: string;
  rowTone?: (row: T) => "failed" | "quiet" | undefined;
  more?: { there: boolean; loading: boolean; load: () => void };
  sorting?: SortingState;
  onSorting?: (sorting: SortingState) => void;
  rowHeight?: number;
  /** Whether j, k, x and Enter are this table's. */
  keys?: boolean;
}

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() });
const VIRTUAL = 100;

export function DataTable<T extends object>(given: Props<T>) {
  const columns = shownOf(given.columns, given.current !== undefined);
  const props = { ...given, columns };
  const { rows, rowId, selection, onOpen, more, rowHeight = 36 } = props;
  const phone = usePhone();
  const [own, setOwn] = useState<SortingState>([]);
  const sorting = props.sorting ?? own;
  const defs = useMemo(() => given.columns.map((one) => definition(one)), [given.columns]);
  const data = rows as T[];
  const table = useTable({
    features,
    columns: defs,
    data,
    getRowId: rowId,
    state: { sorting },
    onSortingChange: (change) => {
      const next = typeof change === "function" ? change(sorting) : change;
      (props.onSorting ?? setOwn)(next);
    },
  });
  const sorted = table.getRowModel().rows.map((row) => row.original);
  const body = useRef<HTMLTableSectionElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const cursor = useCursor(sorted, props, phone ? list : body);
  const spot = useVirtual(sorted.length, phone ? 104 : rowHeight, phone ? list : body);
  useEffect(() => {
    if (cursor.at >= 0) spot.reveal(cursor.at);
  }, [cursor.at, spot.reveal]);

  const shown = sorted.slice(spot.first, spot.last + 1);
  const foot = more?.there ? <More more={more} count={rows.length} /> : null;

  if (phone) {
    return (
      <>
        <ul className={cx(classes.cards, "sw-alone")} aria-label={props.label} ref={list}>
          {spot.before > 0 ? <li aria-hidden="true" style={{ height: spot.before }} /> : null}
          {shown.map((row, at) => (
            <Card
              key={rowId(row)}
              row={row}
              props={props}
              focused={spot.first + at === cursor.at}
              stop={cursor.stop(spot.first + at)}
            />
          ))}
          {spot.after > 0 ? <li aria-hidden="true" style={{ height: spot.after }} /> : null}
        </ul>
        {foot}
      </>
    );
  }

  const span = columns.length + (selection ? 1 : 0);
  return (
    <>
      <table className={classes.table} aria-label={props.label} aria-rowcount={sorted.length + 1}>
        <colgroup>
          {selection ? <col style={{ width: "2.25rem" }} /> : null}
          {columns.map((one) => (
            <col key={one.key} style={{ width: one.width }} />
          ))}
        </colgroup>
        <thead>
          <tr>
            {selection ? (
              <th className={classes.check} scope="col">
                <SelectAll rows={sorted} rowId={rowId} selection={selection} />
              </th>
            ) : null}
            {columns.map((one) => {
              const sort = sorting.find((s) => s.id === one.key);
              return (
                <th
                  key={one.key}
                  scope="col"
                  data-align={one.align}
                  aria-sort={
                    sort === undefined ? undefined : sort.desc ? "descending" : "ascending"
                  }
                >
                  {one.sort ? (
                    <UnstyledButton
                      className={classes.sort}
                      onClick={() => table.getColumn(one.key)?.toggleSorting()}
                    >
                      {one.header}
                      {sort === undefined ? null : sort.desc ? (
                        <IconArrowDown size={12} />
                      ) : (
                        <IconArrowUp size={12} />
                      )}
                    </UnstyledButton>
                  ) : (
                    one.header
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody ref={body} className="sw-alone">
          <Gap height={spot.before} span={span} />
          {shown.map((row, at) => {
            const id = rowId(row);
            const selected = selection?.ids.has(id) ?? false;
            return (
              <tr
                key={id}
                aria-rowindex={spot.first + at + 2}
                aria-selected={selection ? selected : undefined}
                data-current={props.current === id || undefined}
                data-cursor={spot.first + at === cursor.at || undefined}
                data-tone={props.rowTone?.(row)}
                className={cx(onOpen && classes.opens)}
                style={{ height: rowHeight }}
                {...cursor.stop(spot.first + at)}
                onClick={(event) => openUnless(event, () => onOpen?.(row))}
              >
                {selection ? (
                  <td className={classes.check}>
                    <SelectRow row={row} props={props} selection={selection} />
                  </td>
                ) : null}
                {columns.map((one) => (
                  <td key={one.key} data-align={one.align}>
                    {one.cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
          <Gap height={spot.after} span={span} />
        </tbody>
      </table>
      {foot}
    </>
  );
}

/** Beside an open drawer only those that fit there, in a table that says which these are. */
function shownOf<T>(columns: Column<T>[], beside: boolean): Column<T>[] {
  const few = beside ? columns.filter((one) => one.beside) : [];
  return few.length > 0 ? few : columns;
}

function definition<T>(one: Column<T>) {
  return {
    id: one.key,
    header: one.header,
    accessorFn: (row: T) => one.sort?.(row) ?? undefined,
    enableSorting: one.sort !== undefined,
    sortUndefined: "last" as const,
  };
}

/** A click on a row opens it, but not one on what can be clicked in it, or on selected text. */
function openUnless(event: MouseEvent, open: () => void): void {
  const target = event.target as HTMLElement;
  if (target.closest("a, button, input, label, summary, [role='menuitem']")) return;
  if (window.getSelection()?.toString()) return;
  open();
}

function Gap({ height, span }: { height: number; span: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden="true" className={classes.gap}>
      <td colSpan={span} style={{ height }} />
    </tr>
  );
}

interface CardProps<T> {
  row: T;
  props: Props<T>;
  focused: boolean;
  stop: Stop;
}

function Card<T>({ row, props, focused, stop }: CardProps<T>) {
  const { columns, rowId, selection, onOpen } = props;
  const id = rowId(row);
  const heads = columns.filter((one) => one.card === "head");
  const lines = columns.filter((one) => one.card !== "head" && one.card !== "none");
  return (
    <li
      tabIndex={stop.tabIndex}
      data-at={stop["data-at"]}
      onFocus={stop.onFocus}
      onKeyDown={stop.onKeyDown}
      className={cx(classes.card, onOpen && classes.opens)}
      data-cursor={focused || undefined}
      data-current={props.current === id || undefined}
      data-tone={props.rowTone?.(row)}
      onClick={(event) => openUnless(event, () => onOpen?.(row))}
    >
      <div className={classes.head}>
        {selection ? <SelectRow row={row} props={props} selection={selection} /> : null}
        {heads.map((one) => (
          <span key={one.key}>{one.cell(row)}</span>
        ))}
      </div>
      <dl className={classes.lines}>
        {lines.map((one) => (
          <div key={one.key} data-sentence={one.card === "sentence" || undefined}>
            <dt>{one.header}</dt>
            <dd>{one.cell(row)}</dd>
          </div>
        ))}
      </dl>
    </li>
  );
}

function SelectRow<T>({
  row,
  props,
  selection,
}: {
  row: T;
  props: Props<T>;
  selection: Selection;
}) {
  const id = props.rowId(row);
  const phone = usePhone();
  return (
    <Checkbox
      size={phone ? "md" : "xs"}
      aria-label={common.selectRow(props.rowName?.(row) ?? id)}
      checked={selection.ids.has(id)}
      onChange={() => selection.onChange(toggled(selection.ids, id))}
    />
  );
}

function SelectAll<T>({
  rows,
  rowId,
  selection,
}: {
  rows: T[];
  rowId: (row: T) => string;
  selection: Selection;
}) {
  const ids = rows.map(rowId);
  const count = ids.filter((id) => selection.ids.has(id)).length;
  return (
    <Checkbox
      size="xs"
      aria-label={common.selectPage}
      checked={count > 0 && count === ids.length}
      indeterminate={count > 0 && count < ids.length}
      onChange={() => selection.onChange(new Set(count === ids.length ? [] : ids))}
    />
  );
}

export function toggled(ids: ReadonlySet<string>, id: string): Set<string> {
  const next = new Set(ids);
  if (!next.delete(id)) next.add(id);
  return next;
}

/**
 * Loads the next page when its button comes into sight, or is still there below the last one; the
 * button stays for those who wait.
 */
function More({ more, count }: { more: { loading: boolean; load: () => void }; count: number }) {
  const button = useRef<HTMLDivElement>(null);
  const load = useRef(more.load);
  load.current = more.loading ? () => undefined : more.load;
  // biome-ignore lint/correctness/useExhaustiveDependencies: below other rows it is looked for anew
  useEffect(() => {
    const target = button.current;
    if (target === null || typeof IntersectionObserver === "undefined") return;
    const observer = new IntersectionObserver(
      (seen) => seen.some((one) => one.isIntersecting) && load.current(),
      { rootMargin: "400px" },
    );
    observer.observe(target);
    return () => observer.disconnect();
  }, [count]);
  return (
    <div className={classes.more} ref={button}>
      <UnstyledButton onClick={more.load} disabled={more.loading} className={classes.moreButton}>
        {more.loading ? <Loader size={14} /> : null}
        {more.loading ? common.loading : common.loadMore}
      </UnstyledButton>
    </div>
  );
}

/** What makes a row one of those that the arrows go through. */
interface Stop {
  tabIndex?: number;
  "data-at"?: number;
  onFocus?: (event: { target: EventTarget; currentTarget: EventTarget }) => void;
  onKeyDown?: (event: KeyboardEvent) => void;
}

/** The row that j, k or the arrows have reached. The focus goes with it, unless it is elsewhere. */
function useCursor<T>(rows: T[], props: Props<T>, where: React.RefObject<HTMLElement | null>) {
  const { rowId, onOpen, selection, keys = true } = props;
  const [id, setId] = useState<string | null>(null);
  const follow = useRef(false);
  const at = id === null ? -1 : rows.findIndex((row) => rowId(row) === id);
  const go = (to: number) => {
    const next = rows[Math.min(rows.length - 1, Math.max(0, to))];
    if (next === undefined) return;
    follow.current = onOpen !== undefined && isFree(where.current);
    setId(rowId(next));
  };
  // Where many rows are, the one that is gone to may be drawn only after it has been scrolled to.
  useEffect(() => {
    if (!follow.current) return;
    const row = where.current?.querySelector<HTMLElement>(`[data-at="${at}"]`);
    row?.focus({ preventScroll: true });
    follow.current = row === undefined || row === null;
  });
  const row = at < 0 ? undefined : rows[at];
  const map: KeyMap = { j: () => go(at + 1), k: () => go(at - 1) };
  if (selection && row !== undefined) {
    map.x = () => selection.onChange(toggled(selection.ids, rowId(row)));
  }
  if (onOpen && row !== undefined) map.Enter = () => onOpen(row);
  useKeys(map, keys && rows.length > 0);

  const stop = (index: number): Stop => {
    const here = rows[index];
    if (onOpen === undefined || here === undefined) return {};
    return {
      tabIndex: index === Math.max(0, at) ? 0 : -1,
      "data-at": index,
      onFocus: (event) => event.target === event.currentTarget && setId(rowId(here)),
      onKeyDown: (event) => {
        if (event.target !== event.currentTarget) return;
        const to = goal(event.key, index, rows.length - 1);
        if (to === undefined) return;
        event.preventDefault();
        if (event.key === "Enter") onOpen(here);
        else go(to);
      },
    };
  };
  return { at, stop };
}

/** Which row a key leads to. */
function goal(key: string, from: number, last: number): number | undefined {
  const goals: Record<string, number> = { ArrowDown: from + 1, ArrowUp: from - 1 };
  return { ...goals, Enter: from, Home: 0, End: last }[key];
}

/** Whether nothing else has the focus: not a drawer, not what stands above the rows. */
function isFree(rows: HTMLElement | null): boolean {
  const active = document.activeElement;
  return active === document.body || active?.id === "page" || (rows?.contains(active) ?? false);
}

/** Which rows are drawn; the heights of those above and below. */
function useVirtual(count: number, height: number, where: React.RefObject<HTMLElement | null>) {
  const [margin, setMargin] = useState(0);
  const printing = usePrinting();
  const on = count > VIRTUAL && !printing;
  // Whatever stands above may have grown, so it is measured after each drawing.
  useLayoutEffect(() => {
    const box = where.current?.getBoundingClientRect();
    if (on && box !== undefined) setMargin(Math.round(box.top + window.scrollY));
  });
  const virtual = useWindowVirtualizer({
    count,
    enabled: on,
    estimateSize: () => height,
    overscan: 12,
    scrollMargin: margin,
  });
  const items = virtual.getVirtualItems();
  const reveal = useMemo(
    () => (at: number) => {
      if (on) virtual.scrollToIndex(at, { align: "auto" });
      else where.current?.children[at]?.scrollIntoView({ block: "nearest" });
    },
    [on, virtual, where],
  );
  if (!on) return { first: 0, last: count - 1, before: 0, after: 0, reveal };
  const first = items.at(0);
  const last = items.at(-1);
  return {
    first: first?.index ?? 0,
    last: last?.index ?? Math.min(count, 40) - 1,
    before: first === undefined ? 0 : first.start - margin,
    after: last === undefined ? 0 : virtual.getTotalSize() - (last.end - margin),
    reveal,
  };
}
