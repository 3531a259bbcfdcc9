/** The log: from its end, as far back as one scrolls, as it is written, searched by the server. */

import { Button, NativeSelect, Switch, TextInput } from "@mantine/core";
import { IconDownload, IconSearch } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { CodeBlock } from "@/components/CodeBlock";
import { toggled } from "@/components/DataTable";
import { ErrorFace, Face, SkeletonRows } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { useKeys } from "@/lib/keys";
import { usePhone } from "@/lib/media";
import { apiAddress } from "@/lib/page";
import { number } from "@/lib/time";
import { useTyped } from "@/lib/typed";
import { common } from "@/strings/common";
import { run as words } from "@/strings/run";
import { Lines } from "./LogLines";
import classes from "./LogsTab.module.css";
import { foldsOf, linked, withFolds } from "./lines";
import { hasEnded, type RunDetail } from "./queries";
import { type Filter, useLog } from "./useLog";

const said = words.logs;
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
  const [chosen, setWrap] = useState<boolean>();
  const phone = usePhone();
  const wrap = chosen ?? phone;
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const found = useLog(run.id, !hasEnded(run), filter, search.line, atEnd);
  const filtered = Boolean(search.find || search.level || search.operation || search.attempt);
  // What is searched for must not be hidden.
  const merged = search.operation === undefined;
  const folds = merged && !search.find && !search.level;
  const lines = found.log?.lines;
  const rows = useMemo(() => withFolds(lines ?? [], folds ? folded : null), [lines, folds, folded]);
  const groups = useMemo(() => foldsOf(rows), [rows]);
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
            rows={rows}
            total={found.log.lines.length}
            onFold={(key) => setFolded(toggled(folded, key))}
            target={linked(search.line)?.key}
            find={search.find ?? ""}
            relative={relative}
            wrap={wrap}
            merged={merged}
            atEnd={atEnd}
            onAtEnd={setAtEnd}
            earlier={found.log.previous === null ? null : found.earlier}
            later={found.later}
            follows={found.follows}
          />
          <div className="sw-row sw-wrap">
            {groups.length > 1 ? (
              <Button
                variant="default"
                onClick={() => setFolded(new Set(folded.size > 0 ? [] : groups))}
              >
                {folded.size > 0 ? said.unfoldAll : said.foldAll}
              </Button>
            ) : null}
            {folded.size > 0 && found.log.previous !== null ? (
              <Button variant="subtle" onClick={() => void found.earlier()}>
                {said.earlier}
              </Button>
            ) : null}
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
  const set = (change: Record<string, string | number | undefined>) =>
    void navigate({ search: (old) => ({ ...old, line: undefined, ...change }), replace: true });
  const typed = useTyped(filter.q ?? "", (text) => set({ find: text || undefined }));
  useKeys({ "/": () => typed.ref.current?.focus() });
  const narrowed = Boolean(filter.q || filter.level);
  return (
    <div className={classes.bar}>
      <TextInput
        {...typed}
        size="xs"
        className={classes.find}
        aria-label={said.find}
        placeholder={said.find}
        leftSection={<IconSearch size={14} />}
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
