/** The log: from its end, as far back as one scrolls, as it is written, searched by the server. */

import { Button, NativeSelect, Switch, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconArrowDown, IconDownload, IconSearch } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { CodeBlock } from "@/components/CodeBlock";
import { ErrorFace, Face, SkeletonRows } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { useKeys } from "@/lib/keys";
import { apiAddress } from "@/lib/page";
import { usePrefs } from "@/lib/prefs";
import { clockTime, exact, number } from "@/lib/time";
import { common } from "@/strings/common";
import { run as words } from "@/strings/run";
import { Ansi } from "./Ansi";
import classes from "./LogsTab.module.css";
import { keyOf, linked, linkTo, sinceStart } from "./lines";
import { hasEnded, type LogLine, type RunDetail } from "./queries";
import { type Filter, useLog } from "./useLog";

const said = words.logs;
const ROW = 24;
const LEVELS = ["debug", "info", "warning", "error", "critical"] as const;

export function LogsTab({ run }: { run: RunDetail }) {
  const search = useSearch({ from: "/shell/runs/$runId" });
  const filter: Filter = {
    q: search.find,
    level: search.level,
    operation: search.operation,
    attempt: search.attempt,
  };
  const [atEnd, setAtEnd] = useState(search.line === undefined);
  const [relative, setRelative] = useState(false);
  const [wrap, setWrap] = useState(false);
  const found = useLog(run.id, !hasEnded(run), filter, search.line, atEnd);
  const filtered = Boolean(search.find || search.level || search.operation || search.attempt);
  return (
    <section aria-label={said.label}>
      <Bar run={run} filter={filter} log={found.log} />
      {found.error ? <ErrorFace error={found.error} onRetry={found.retry} /> : null}
      {!found.log && !found.error ? <SkeletonRows rows={12} /> : null}
      {found.log?.lines.length === 0 ? <Nothing run={run} filtered={filtered} /> : null}
      {found.log && found.log.lines.length > 0 ? (
        <>
          <Lines
            run={run}
            lines={found.log.lines}
            target={linked(search.line)?.key}
            find={search.find ?? ""}
            relative={relative}
            wrap={wrap}
            merged={search.operation === undefined}
            atEnd={atEnd}
            onAtEnd={setAtEnd}
            earlier={found.log.previous === null ? null : found.earlier}
            later={found.later}
            follows={found.follows}
          />
          <div className="sw-row sw-wrap">
            <Switch
              size="xs"
              label={said.relative}
              checked={relative}
              onChange={(event) => setRelative(event.currentTarget.checked)}
            />
            <Switch
              size="xs"
              label={said.wrap}
              checked={wrap}
              onChange={(event) => setWrap(event.currentTarget.checked)}
            />
          </div>
        </>
      ) : null}
    </section>
  );
}

function Bar({
  run,
  filter,
  log,
}: {
  run: RunDetail;
  filter: Filter;
  log: ReturnType<typeof useLog>["log"];
}) {
  const navigate = useNavigate({ from: "/runs/$runId" });
  const input = useRef<HTMLInputElement>(null);
  const set = (change: Record<string, string | number | undefined>) =>
    void navigate({ search: (old) => ({ ...old, line: undefined, ...change }), replace: true });
  const find = useDebouncedCallback((text: string) => set({ find: text || undefined }), 250);
  useKeys({ "/": () => input.current?.focus() });
  const narrowed = Boolean(filter.q || filter.level);
  return (
    <div className={classes.bar}>
      <TextInput
        ref={input}
        size="xs"
        className={classes.find}
        aria-label={said.find}
        placeholder={said.find}
        leftSection={<IconSearch size={14} />}
        defaultValue={filter.q ?? ""}
        onChange={(event) => find(event.currentTarget.value)}
      />
      <NativeSelect
        size="xs"
        aria-label={said.level}
        value={filter.level ?? ""}
        onChange={(event) => set({ level: event.currentTarget.value || undefined })}
        data={[
          { value: "", label: said.levels.all },
          ...LEVELS.map((value) => ({ value, label: said.levels[value] })),
        ]}
      />
      <NativeSelect
        size="xs"
        aria-label={said.operation}
        value={filter.operation ?? ""}
        onChange={(event) => set({ operation: event.currentTarget.value || undefined })}
        data={[{ value: "", label: said.allOperations }, ...run.operations]}
      />
      {run.attempts.length > 1 ? (
        <NativeSelect
          size="xs"
          aria-label={said.attempt}
          value={filter.attempt ?? ""}
          onChange={(event) => set({ attempt: Number(event.currentTarget.value) || undefined })}
          data={[
            { value: "", label: said.allAttempts },
            ...run.attempts.map((one) => ({
              value: String(one.number),
              label: words.attempt(one.number),
            })),
          ]}
        />
      ) : null}
      <span className="sw-soft" role="status">
        {log && narrowed ? said.matches(number(log.matches), log.complete) : ""}
      </span>
      <span className="sw-grow" />
      <Button
        component="a"
        variant="default"
        leftSection={<IconDownload size={14} />}
        href={address(run.id, filter)}
        download
      >
        {said.download}
      </Button>
    </div>
  );
}

function address(runId: string, filter: Filter): string {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined);
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  return apiAddress(`/runs/${runId}/logs/text${given.length > 0 ? `?${query}` : ""}`);
}

interface LinesProps {
  run: RunDetail;
  lines: readonly LogLine[];
  target: string | undefined;
  find: string;
  relative: boolean;
  wrap: boolean;
  merged: boolean;
  atEnd: boolean;
  onAtEnd: (atEnd: boolean) => void;
  earlier: (() => Promise<number>) | null;
  later: () => Promise<number>;
  follows: boolean;
}

function Lines(props: LinesProps) {
  const { lines, target, wrap, atEnd, onAtEnd, earlier, later } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 20,
    getItemKey: (at) => {
      const line = lines[at];
      return line === undefined ? at : keyOf(line);
    },
  });
  const firstKey = lines[0] ? keyOf(lines[0]) : "";
  const before = useRef({ firstKey, count: lines.length });
  const begun = useRef(false);

  useLayoutEffect(() => {
    const old = before.current;
    before.current = { firstKey, count: lines.length };
    if (!begun.current) {
      begun.current = true;
      const at = target === undefined ? -1 : lines.findIndex((one) => keyOf(one) === target);
      if (at >= 0) rows.scrollToIndex(at, { align: "center" });
      else rows.scrollToIndex(lines.length - 1, { align: "end" });
    } else if (old.firstKey !== firstKey && lines.length > old.count) {
      // Earlier lines came in above: what was seen stays where it was.
      const box = scroller.current;
      if (box) box.scrollTop += (lines.length - old.count) * ROW;
    } else if (atEnd && lines.length > old.count) {
      rows.scrollToIndex(lines.length - 1, { align: "end" });
    }
  }, [firstKey, lines, target, atEnd, rows]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: other heights where lines break
  useEffect(() => rows.measure(), [wrap, rows]);

  const onScroll = () => {
    const box = scroller.current;
    if (box === null) return;
    const left = box.scrollHeight - box.scrollTop - box.clientHeight;
    if (left < 40 !== atEnd) onAtEnd(left < 40);
    if (left < 40) void later();
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
            const line = lines[item.index];
            if (line === undefined) return null;
            return (
              <div
                key={item.key}
                ref={wrap ? rows.measureElement : undefined}
                data-index={item.index}
                className={classes.place}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <Line {...props} line={line} />
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
            rows.scrollToIndex(lines.length - 1, { align: "end" });
          }}
        >
          {said.end}
        </Button>
      )}
    </div>
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
}: Omit<LinesProps, "lines"> & { line: LogLine }) {
  const { zone } = usePrefs();
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

/** No line: what the launcher and the containers said stands there instead of an empty box. */
function Nothing({ run, filtered }: { run: RunDetail; filtered: boolean }) {
  const navigate = useNavigate({ from: "/runs/$runId" });
  if (filtered) {
    return (
      <Face title={said.nothing}>
        <Button
          variant="default"
          onClick={() =>
            void navigate({
              search: (old) => ({
                ...old,
                find: undefined,
                level: undefined,
                operation: undefined,
                attempt: undefined,
                line: undefined,
              }),
              replace: true,
            })
          }
        >
          {common.clear}
        </Button>
      </Face>
    );
  }
  if (!hasEnded(run)) return <Face title={said.never}>{said.neverGoesOn}</Face>;
  return (
    <div className={classes.never}>
      <p>
        <strong>{said.never}.</strong> {said.neverEnded}
      </p>
      <ul>
        {run.attempts.map((one) => (
          <Attempt key={one.number} one={one} />
        ))}
      </ul>
    </div>
  );
}

function Attempt({ one }: { one: RunDetail["attempts"][number] }) {
  const exit = useMemo(() => one.exit ?? {}, [one.exit]);
  const code = exit.code;
  const tail = typeof exit.tail === "string" ? exit.tail : "";
  return (
    <li>
      <strong>{words.attempt(one.number)}</strong>{" "}
      <span className="sw-soft">
        <Instant at={one.queued_at} />
      </span>{" "}
      {one.condition}{" "}
      {code === undefined || code === null ? null : (
        <span className="sw-soft">
          {said.exit} {String(code)}
        </span>
      )}
      {tail ? (
        <CodeBlock label={said.output} wrap>
          {tail}
        </CodeBlock>
      ) : null}
    </li>
  );
}
