/** The lines that are shown: from the end or from a line on, more on either side, and new ones. */

import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api, ok } from "@/api/client";
import { useLiveState } from "@/api/live";
import { joined, linked } from "./lines";
import type { LogLine, LogPage } from "./queries";

export interface Filter {
  q?: string | undefined;
  level?: "debug" | "info" | "warning" | "error" | "critical" | undefined;
  operation?: string | undefined;
  attempt?: number | undefined;
}

interface Log {
  lines: LogLine[];
  previous: string | null;
  next: string | null;
  matches: number;
  complete: boolean;
}

const PAGE = 500;
const AROUND = 60;
/** Milliseconds between two looks for what was written since. */
const EVERY = 1000;

type Where = { cursor?: string; before?: string; tail?: number; from?: string; limit?: number };

function fetched(run_id: string, filter: Filter, where: Where): Promise<LogPage> {
  const { q, level, operation, attempt } = filter;
  const context = q ? 2 : 0;
  return ok(
    api.GET("/api/v1/runs/{run_id}/logs", {
      params: {
        path: { run_id },
        query: { q, level, operation, attempt, context, limit: PAGE, ...where },
      },
    }),
  );
}

/** The end of the log; or what is around the line that the address names. */
async function first(runId: string, filter: Filter, line: string | undefined): Promise<Log> {
  const to = linked(line);
  if (to === null) return logOf(await fetched(runId, filter, { tail: PAGE }));
  const page = await fetched(runId, filter, { from: to.at });
  const found = logOf(page);
  if (page.previous === null) return found;
  const before = await fetched(runId, filter, { before: page.previous, limit: AROUND });
  return { ...found, lines: joined(before.items, page.items), previous: before.previous };
}

function logOf(page: LogPage): Log {
  const { items: lines, previous, next, matches, complete } = page;
  return { lines, previous, next, matches, complete };
}

export function useLog(
  runId: string,
  goesOn: boolean,
  given: Filter,
  line: string | undefined,
  atEnd: boolean,
) {
  const [log, setLog] = useState<Log | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [again, setAgain] = useState(0);
  const busy = useRef(false);
  const { q, level, operation, attempt } = given;
  const filter = useMemo(() => ({ q, level, operation, attempt }), [q, level, operation, attempt]);
  const { link } = useLiveState();
  const looks = atEnd && link !== "paused" && link !== "hidden";
  const follows = goesOn && looks;
  // The run's last lines may be seen only after its end: until a look behind that finds none.
  const [read, setRead] = useState(!goesOn);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another try is one of the reasons
  useEffect(() => {
    let current = true;
    setLog(null);
    setError(null);
    first(runId, filter, line).then(
      (found) => current && setLog(found),
      (thrown) => current && setError(thrown),
    );
    return () => {
      current = false;
    };
  }, [runId, filter, line, again]);

  // What comes in belongs to the log that it was asked for: another filter may be in force by then.
  const earlier = useCallback(async () => {
    if (log?.previous == null || busy.current) return 0;
    busy.current = true;
    try {
      const page = await fetched(runId, filter, { before: log.previous });
      setLog((now) =>
        now === log
          ? { ...log, lines: joined(page.items, log.lines), previous: page.previous }
          : now,
      );
      return page.items.length;
    } catch {
      return 0;
    } finally {
      busy.current = false;
    }
  }, [log, runId, filter]);

  /** How many came in; null where nobody could look. */
  const later = useCallback(async () => {
    if (log === null || busy.current) return null;
    if (log.next === null) return 0;
    busy.current = true;
    try {
      const page = await fetched(runId, filter, { cursor: log.next });
      if (page.items.length > 0) {
        setLog((now) =>
          now === log ? { ...log, lines: joined(log.lines, page.items), next: page.next } : now,
        );
      }
      return page.items.length;
    } catch {
      return null;
    } finally {
      busy.current = false;
    }
  }, [log, runId, filter]);

  useEffect(() => {
    if (goesOn) setRead(false);
    if (!looks || (read && !goesOn)) return;
    const look = async () => {
      if ((await later()) === 0 && !goesOn) setRead(true);
    };
    const timer = window.setInterval(() => void look(), EVERY);
    return () => window.clearInterval(timer);
  }, [looks, read, goesOn, later]);

  return { log, error, earlier, later, follows, retry: () => setAgain((now) => now + 1) };
}
