/** The list of runs that a query finds, kept up to date without jumping. */

import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api, ok } from "@/api/client";
import { useLive } from "@/api/live";
import { STATES, type StateWord } from "@/components/StateGlyph";
import { Asked, has, moved, patched, unseen } from "./patch";
import { fetchRuns, type Run, runsQuery } from "./queries";

/** At most so often, in milliseconds, is the server asked what became of changed runs. */
const EVERY = 1000;
/** Of so many changed runs at a time. */
const AT_ONCE = 8;
const NEWEST = 20;

export function useRuns(q: string) {
  const client = useQueryClient();
  const options = useMemo(() => runsQuery(q), [q]);
  const found = useInfiniteQuery(options);
  const { fresh, reset } = useFresh(q);
  const rows = useMemo(() => found.data?.pages.flatMap((page) => page.items) ?? [], [found.data]);
  const refresh = useCallback(async () => {
    reset();
    await client.resetQueries({ queryKey: ["runs", "list", q] });
    await client.invalidateQueries({ queryKey: ["runs"], refetchType: "active" });
  }, [client, q, reset]);
  return { ...found, rows, fresh, refresh };
}

/** Patches rows as their runs change, and counts those that are new. */
function useFresh(q: string) {
  const client = useQueryClient();
  const key = useMemo(() => runsQuery(q).queryKey, [q]);
  const shown = useRef(key);
  shown.current = key;
  const changed = useRef(new Set<string>());
  const asked = useRef(new Asked());
  const others = useRef(false);
  const timer = useRef<number | undefined>(undefined);
  const [fresh, setFresh] = useState(0);

  const look = useCallback(async () => {
    timer.current = undefined;
    const ids = [...changed.current].slice(0, AT_ONCE);
    for (const id of ids) changed.current.delete(id);
    if (changed.current.size > 0) timer.current = window.setTimeout(look, EVERY);
    const news = others.current;
    others.current = false;
    const turn = asked.current.begin(ids);
    for (const run of await Promise.all(ids.map(one))) {
      if (run !== null && asked.current.takes(run.id, turn))
        client.setQueryData(key, (data) => patched(data, run));
    }
    if (!news) return;
    void client.invalidateQueries({ queryKey: ["runs", "count"] });
    void client.invalidateQueries({ queryKey: ["runs", "histogram"] });
    const data = client.getQueryData(key);
    if (data?.pages[0]?.items.length === 0) {
      void client.invalidateQueries({ queryKey: key });
      return;
    }
    const newest = await fetchRuns(q, NEWEST).catch(() => null);
    const list = client.getQueryData(key);
    if (newest === null || list === undefined || shown.current !== key) return;
    setFresh(unseen(list, newest.items));
  }, [client, key, q]);

  useLive("runs", (change) => {
    const data = client.getQueryData(key);
    if (has(data, change.id)) {
      changed.current.add(change.id);
      asked.current.outdate(change.id);
      if (STATES.includes(change.what as StateWord)) {
        client.setQueryData(key, moved(data, change.id, change.what as Run["state"]));
      }
    } else {
      others.current = true;
    }
    timer.current ??= window.setTimeout(look, EVERY);
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: another query begins anew
  useEffect(() => {
    setFresh(0);
    return () => {
      window.clearTimeout(timer.current);
      timer.current = undefined;
    };
  }, [q]);

  return { fresh, reset: useCallback(() => setFresh(0), []) };
}

const one = (run_id: string): Promise<Run | null> =>
  ok(api.GET("/api/v1/runs/{run_id}", { params: { path: { run_id } } })).catch(() => null);
