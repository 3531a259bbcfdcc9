/** The lines of a log that are seen, with a row above what each operation wrote. */

import { Button } from "@mantine/core";
import { IconArrowDown } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef } from "react";
import { clockTime, exact, number } from "@/lib/time";
import { useZone } from "@/lib/zone";
import { run as words } from "@/strings/run";
import { Ansi } from "./Ansi";
import classes from "./LogsTab.module.css";
import { type Fold, firstOf, keyOf, type LogRow, linkTo, sinceStart } from "./lines";
import type { LogLine, RunDetail } from "./queries";

const said = words.logs;
const ROW = 24;
/** Pixels from the end that are the end. */
const NEAR = 40;

interface LinesProps {
  run: RunDetail;
  rows: readonly LogRow[];
  /** How many lines there are, folded ones too. */
  total: number;
  /** Folds or unfolds what an operation wrote. */
  onFold: (key: string) => void;
  target: string | undefined;
  find: string;
  relative: boolean;
  wrap: boolean;
  merged: boolean;
  atEnd: boolean;
  onAtEnd: (atEnd: boolean) => void;
  earlier: (() => Promise<number>) | null;
  later: () => Promise<unknown>;
  follows: boolean;
}

export function Lines(props: LinesProps) {
  const { rows: shown, total, target, wrap, atEnd, onAtEnd, earlier, later } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 20,
    getItemKey: (at) => shown[at]?.key ?? at,
  });
  const firstLine = firstOf(shown);
  const before = useRef({ firstLine, count: shown.length, total });
  const begun = useRef(false);

  useLayoutEffect(() => {
    const old = before.current;
    before.current = { firstLine, count: shown.length, total };
    if (!begun.current) {
      begun.current = true;
      const at = target === undefined ? -1 : shown.findIndex((one) => one.key === target);
      if (at >= 0) rows.scrollToIndex(at, { align: "center" });
      else rows.scrollToIndex(shown.length - 1, { align: "end" });
    } else if (old.firstLine !== firstLine && shown.length > old.count) {
      // Earlier lines came in above: what was seen stays where it was.
      const box = scroller.current;
      if (box) box.scrollTop += (shown.length - old.count) * ROW;
    } else if (atEnd && total > old.total) {
      rows.scrollToIndex(shown.length - 1, { align: "end" });
    } else if (shown.length !== old.count) {
      onAtEnd(leftIn(scroller.current) < NEAR);
    }
  }, [firstLine, shown, total, target, atEnd, onAtEnd, rows]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: other heights where lines break
  useEffect(() => rows.measure(), [wrap, rows]);

  const onScroll = () => {
    const box = scroller.current;
    if (box === null) return;
    const end = leftIn(box) < NEAR;
    if (end !== atEnd) onAtEnd(end);
    if (end) void later();
    if (box.scrollTop < 300 && earlier) void earlier();
  };

  return (
    <div className={classes.frame}>
      <div
        ref={scroller}
        className={classes.scroller}
        onScroll={onScroll}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={said.label}
      >
        <div className={classes.lines} style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map((item) => {
            const row = shown[item.index];
            if (row === undefined) return null;
            return (
              <div
                key={item.key}
                ref={wrap ? rows.measureElement : undefined}
                data-index={item.index}
                className={classes.place}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                {"fold" in row ? (
                  <FoldRow row={row} onFold={props.onFold} />
                ) : (
                  <Line {...props} line={row.line} />
                )}
              </div>
            );
          })}
        </div>
      </div>
      {atEnd ? (
        props.follows ? (
          <div className={classes.follows}>{said.follows}</div>
        ) : null
      ) : (
        <Button
          className={classes.end}
          leftSection={<IconArrowDown size={14} />}
          onClick={() => {
            onAtEnd(true);
            rows.scrollToIndex(shown.length - 1, { align: "end" });
          }}
        >
          {said.end}
        </Button>
      )}
    </div>
  );
}

/** Pixels below what is seen. */
function leftIn(box: HTMLElement | null): number {
  return box === null ? 0 : box.scrollHeight - box.scrollTop - box.clientHeight;
}

/** What an operation wrote, behind its name. */
function FoldRow({ row, onFold }: { row: Fold; onFold: (key: string) => void }) {
  const { operation, execution, attempt } = row.first;
  return (
    <button
      type="button"
      className={classes.fold}
      aria-expanded={!row.folded}
      onClick={() => onFold(row.fold)}
    >
      <span aria-hidden="true" className={classes.mark}>
        {row.folded ? "▸" : "▾"}
      </span>
      <strong>{operation}</strong>
      <span className={classes.quiet}>
        {execution !== null && execution > 1 ? `${said.execution(execution)} · ` : ""}
        {attempt > 1 ? `${words.attempt(attempt)} · ` : ""}
        {said.linesIn(number(row.count))}
      </span>
      {row.bad > 0 ? <span className={classes.bad}>{said.errors(row.bad)}</span> : null}
    </button>
  );
}

function Line({
  run,
  line,
  target,
  find,
  relative,
  wrap,
  merged,
}: Omit<LinesProps, "rows"> & { line: LogLine }) {
  const zone = useZone();
  const navigate = useNavigate({ from: "/runs/$runId" });
  const start = run.started_at ?? run.created_at;
  if (line.cut > 0) {
    return <div className={classes.cut}>{said.cut(number(line.cut))}</div>;
  }
  return (
    <div
      className={classes.line}
      data-level={line.level ?? undefined}
      data-target={keyOf(line) === target || undefined}
      data-context={!line.match || undefined}
      data-wrap={wrap || undefined}
    >
      <button
        type="button"
        className={classes.number}
        aria-label={said.linkTo(line.line + 1)}
        onClick={() =>
          void navigate({ search: (old) => ({ ...old, line: linkTo(line) }), replace: true })
        }
      >
        {line.line + 1}
      </button>
      <time className={classes.time} dateTime={line.at} title={exact(line.at, zone)}>
        {relative ? sinceStart(line.at, start) : clockTime(line.at, zone)}
      </time>
      <span className={classes.level}>{line.level ?? (line.stream === "stderr" ? "err" : "")}</span>
      {merged ? (
        <span className={classes.operation} title={line.operation ?? undefined}>
          {line.operation ?? "–"}
        </span>
      ) : null}
      <span className={classes.text}>
        <Ansi text={line.text} find={find} />
      </span>
    </div>
  );
}
