/**
 * Where the time went: a row for the run and one for each operation, on one axis. The rows are
 * plain HTML, and only those that are seen are drawn; the table says the same (`t`).
 */

import { Button, NativeSelect } from "@mantine/core";
import { IconChartBar, IconTable } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useLayoutEffect, useMemo, useRef, useState } from "react";
import { DataTable } from "@/components/DataTable";
import { Instant } from "@/components/Instant";
import { StateGlyph } from "@/components/StateGlyph";
import { cx } from "@/lib/cx";
import { type KeyMap, useKeys } from "@/lib/keys";
import { usePhone } from "@/lib/media";
import { useNowWhile } from "@/lib/now";
import { duration } from "@/lib/time";
import { common } from "@/strings/common";
import { run as words } from "@/strings/run";
import { type Axis, axisOf, ticksOf } from "./axis";
import type { Shown } from "./pieces";
import {
  type Bar,
  barsOfRun,
  barsOfStep,
  isIdle,
  ownSeconds,
  type PieceName,
  stateOf,
  whole,
} from "./pieces";
import { hasEnded, type RunStep } from "./queries";
import classes from "./TimelineTab.module.css";

interface Props extends Shown {
  asTable: boolean;
  attempt: number | undefined;
}

interface Row {
  id: string;
  name: string;
  step: RunStep | null;
  state: ReturnType<typeof stateOf> | "scheduled" | null;
  bars: Bar[];
  seconds: number;
  longest: boolean;
}

const said = words.timeline;
const OWN: ReadonlySet<PieceName> = new Set(["running", "earlier tries"]);
const ROW = 30;
const VIRTUAL = 80;

export function TimelineTab(props: Props) {
  const { run, asTable, attempt } = props;
  const navigate = useNavigate({ from: "/runs/$runId" });
  const now = useNowWhile(!hasEnded(run));
  const phases = useMemo(() => barsOfRun(run, now), [run, now]);
  const rows = useMemo(() => rowsOf(props, phases, now), [props, phases, now]);
  const axis = useMemo(() => axisFor(phases, attempt), [phases, attempt]);
  return (
    <section aria-label={said.label}>
      <div className={classes.bar}>
        <Legend rows={rows} />
        {run.attempts.length > 1 ? (
          <NativeSelect
            size="xs"
            aria-label={said.attempt}
            value={attempt ?? ""}
            onChange={(event) => {
              const value = Number(event.currentTarget.value) || undefined;
              void navigate({ search: (old) => ({ ...old, attempt: value }), replace: true });
            }}
            data={[
              { value: "", label: said.all },
              ...run.attempts.map((one) => ({
                value: String(one.number),
                label: `${said.attempt} ${one.number}`,
              })),
            ]}
          />
        ) : null}
        <Button
          variant="default"
          leftSection={asTable ? <IconChartBar size={14} /> : <IconTable size={14} />}
          onClick={() =>
            void navigate({
              search: (old) => ({ ...old, table: old.table ? undefined : true }),
              replace: true,
            })
          }
        >
          {asTable ? common.showPicture : common.showTable}
        </Button>
      </div>
      {asTable ? <Twin rows={rows} /> : <Picture {...props} rows={rows} axis={axis} />}
    </section>
  );
}

function rowsOf({ run, steps }: Props, phases: readonly Bar[], now: number): Row[] {
  const lengths = steps.map((one) => ownSeconds(barsOfStep(one, phases, now)));
  const longest = Math.max(0, ...lengths);
  const found: Row[] = [
    {
      id: "run",
      name: said.run,
      step: null,
      state: null,
      bars: [...phases],
      seconds: whole(phases),
      longest: false,
    },
  ];
  steps.forEach((step, at) => {
    const seconds = lengths[at] ?? 0;
    found.push({
      id: step.id,
      name: step.operation,
      step,
      state: step.reused ? "succeeded" : stateOf(step),
      bars: barsOfStep(step, phases, now),
      seconds,
      longest: steps.length > 1 && seconds === longest && longest > 0,
    });
  });
  if (steps.length > 0 && !hasEnded(run)) {
    const begun = new Set(steps.map((one) => one.operation));
    for (const name of run.operations.filter((one) => !begun.has(one))) {
      found.push({
        id: `later ${name}`,
        name,
        step: null,
        state: "scheduled",
        bars: [],
        seconds: 0,
        longest: false,
      });
    }
  }
  return found;
}

function axisFor(phases: readonly Bar[], attempt: number | undefined): Axis {
  const own = attempt === undefined ? phases : phases.filter((one) => one.attempt === attempt);
  const shown = own.length > 0 ? own : phases;
  const from = shown[0]?.from ?? 0;
  const until = shown.at(-1)?.until ?? from + 1;
  return axisOf(
    shown.map((one) => ({ from: one.from, until: one.until, idle: isIdle(one.name) })),
    from,
    until,
  );
}

function Legend({ rows }: { rows: readonly Row[] }) {
  const names = [...new Set(rows.flatMap((row) => row.bars.map((one) => one.name)))];
  const totals = new Map(names.map((name) => [name, totalOf(rows, name)]));
  return (
    <ul className={classes.legend} aria-label={said.legend}>
      {names.map((name) => (
        <li key={name}>
          <span className={cx("sw-paint", classes.swatch)} data-phase={name} aria-hidden="true" />
          {words.phases[name]}
          {totals.get(name) ? (
            <span className="sw-soft">{duration(totals.get(name) ?? 0)}</span>
          ) : null}
        </li>
      ))}
      {rows.some((row) => row.longest) ? (
        <li>
          <span className={classes.swatch} data-longest aria-hidden="true" />
          {said.longest}
        </li>
      ) : null}
    </ul>
  );
}

/** Of the run itself: operations would count the same time again. */
function totalOf(rows: readonly Row[], name: PieceName): number {
  return whole((rows[0]?.bars ?? []).filter((one) => one.name === name));
}

function Picture({ rows, axis, open, current }: Props & { rows: Row[]; axis: Axis }) {
  const body = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  const [at, setAt] = useState(-1);
  const virtual = rows.length > VIRTUAL;
  useLayoutEffect(() => {
    const box = body.current?.getBoundingClientRect();
    if (virtual && box) setMargin(Math.round(box.top + window.scrollY));
  }, [virtual]);
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    enabled: virtual,
    estimateSize: () => ROW,
    overscan: 10,
    scrollMargin: margin,
  });
  const move = (by: number) => {
    const next = Math.min(rows.length - 1, Math.max(1, at + by));
    setAt(next);
    if (virtual) virtualizer.scrollToIndex(next);
    const row = rows[next];
    if (current !== undefined && row) open(opens(row));
  };
  const map: KeyMap = { j: () => move(1), k: () => move(-1) };
  const chosen = rows[at];
  if (chosen) map.Enter = () => open(opens(chosen));
  useKeys(map);
  const ticks = ticksOf(axis, usePhone() ? 3 : 6);
  const items = virtual
    ? virtualizer.getVirtualItems().map((one) => ({ index: one.index, top: one.start - margin }))
    : rows.map((_, index) => ({ index, top: index * ROW }));
  return (
    <div className={classes.picture}>
      <div className={classes.axis} aria-hidden="true">
        <span />
        <span className={classes.track}>
          {ticks.map((tick) => (
            <span
              key={tick}
              className={classes.tick}
              style={{ left: percent(axis.place(axis.from + tick * 1000)) }}
            >
              {tick === 0 ? "0" : duration(tick)}
            </span>
          ))}
          {axis.pieces
            .filter((one) => one.folded)
            .map((one) => (
              <span
                key={one.from}
                className={classes.foldName}
                data-last={one.end > 0.9 || undefined}
                style={{ left: percent(one.end > 0.9 ? one.end : (one.begin + one.end) / 2) }}
              >
                {duration((one.until - one.from) / 1000)}
              </span>
            ))}
        </span>
        <span />
      </div>
      <div ref={body} className={classes.rows} style={{ height: rows.length * ROW }}>
        <div className={classes.lines} aria-hidden="true">
          <span className={classes.track}>
            {ticks.map((tick) => (
              <span
                key={tick}
                className={classes.line}
                style={{ left: percent(axis.place(axis.from + tick * 1000)) }}
              />
            ))}
            {axis.pieces
              .filter((one) => one.folded)
              .map((one) => (
                <span
                  key={one.from}
                  className={classes.fold}
                  style={{ left: percent(one.begin), width: percent(one.end - one.begin) }}
                  title={duration((one.until - one.from) / 1000)}
                />
              ))}
          </span>
        </div>
        {items.map(({ index, top }) => {
          const row = rows[index];
          if (row === undefined) return null;
          return (
            <TimelineRow
              key={row.id}
              row={row}
              axis={axis}
              top={top}
              cursor={index === at}
              current={current !== undefined && current === opens(row)}
              onOpen={row.id === "run" ? undefined : () => open(opens(row))}
            />
          );
        })}
      </div>
    </div>
  );
}

/** What has not begun is opened by its name. */
const opens = (row: Row): string => row.step?.id ?? row.name;

const percent = (part: number) => `${(100 * part).toFixed(3)}%`;

function TimelineRow({
  row,
  axis,
  top,
  cursor,
  current,
  onOpen,
}: {
  row: Row;
  axis: Axis;
  top: number;
  cursor: boolean;
  current: boolean;
  onOpen: (() => void) | undefined;
}) {
  const label = `${row.name}: ${row.bars.map((one) => `${words.phases[one.name]} ${duration((one.until - one.from) / 1000)}`).join(", ") || (row.step?.reused ? said.reused : said.notBegun)}`;
  const inner = (
    <>
      <span className={classes.name} data-state={row.state ?? undefined}>
        {row.state ? <StateGlyph state={row.state} size={13} /> : null}
        <span className="sw-truncate">{row.name}</span>
        {row.step && row.step.executions > 1 ? (
          <span className={classes.tries}>×{row.step.executions}</span>
        ) : null}
      </span>
      <span className={classes.track}>
        {row.bars.map((one) => (
          <Piece key={`${one.name} ${one.from}`} bar={one} axis={axis} row={row} />
        ))}
        {row.bars.length === 0 ? (
          <span className={classes.word}>{row.step?.reused ? said.reused : said.notBegun}</span>
        ) : null}
      </span>
      <span className="sw-hidden">{label}</span>
      <span className={classes.length}>{row.seconds > 0 ? duration(row.seconds) : ""}</span>
    </>
  );
  const shared = {
    className: classes.row,
    "data-current": current || undefined,
    "data-cursor": cursor || undefined,
    "data-run": row.id === "run" || undefined,
    style: { top, height: ROW },
    title: label,
  };
  if (onOpen === undefined) return <div {...shared}>{inner}</div>;
  return (
    <button type="button" {...shared} onClick={onOpen}>
      {inner}
    </button>
  );
}

function Piece({ bar, axis, row }: { bar: Bar; axis: Axis; row: Row }) {
  if (bar.until < axis.from || bar.from > axis.until) return null;
  const begin = axis.place(bar.from);
  const end = axis.place(bar.until);
  return (
    <span
      className={cx("sw-paint", classes.piece)}
      data-phase={bar.name}
      data-failed={(bar.name === "running" && row.state === "failed") || undefined}
      data-longest={(row.longest && OWN.has(bar.name)) || undefined}
      data-open={bar.open || undefined}
      style={{ left: percent(begin), width: `max(3px, ${percent(end - begin)})` }}
    />
  );
}

interface TwinRow {
  id: string;
  operation: string;
  phase: string;
  bar: Bar;
}

/** The same as a table. */
function Twin({ rows }: { rows: readonly Row[] }) {
  const found: TwinRow[] = rows.flatMap((row) =>
    row.bars.map((bar) => ({
      id: `${row.id} ${bar.name} ${bar.from}`,
      operation: row.name,
      phase: words.phases[bar.name],
      bar,
    })),
  );
  const iso = (at: number) => new Date(at).toISOString();
  return (
    <div className="sw-panel">
      <DataTable
        label={said.label}
        rows={found}
        rowId={(one) => one.id}
        columns={[
          {
            key: "operation",
            header: said.operation,
            cell: (one) => one.operation,
            sort: (one) => one.operation,
            card: "head",
          },
          {
            key: "phase",
            header: said.phase,
            cell: (one) => one.phase,
            sort: (one) => one.phase,
            card: "head",
          },
          {
            key: "attempt",
            header: said.attempt,
            cell: (one) => one.bar.attempt,
            sort: (one) => one.bar.attempt,
            align: "end",
            width: "6rem",
          },
          {
            key: "from",
            header: said.from,
            cell: (one) => <Instant at={iso(one.bar.from)} />,
            sort: (one) => one.bar.from,
          },
          {
            key: "until",
            header: said.until,
            cell: (one) => (one.bar.open ? said.open : <Instant at={iso(one.bar.until)} />),
            sort: (one) => one.bar.until,
          },
          {
            key: "length",
            header: said.length,
            cell: (one) => duration((one.bar.until - one.bar.from) / 1000),
            sort: (one) => one.bar.until - one.bar.from,
            align: "end",
            width: "7rem",
          },
        ]}
      />
    </div>
  );
}
