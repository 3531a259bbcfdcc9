/** What the live stream changes about a list that is shown. Pure. */

import type { InfiniteData } from "@tanstack/react-query";
import type { FoundRuns, Run } from "./queries";

type Pages = InfiniteData<FoundRuns, unknown>;

/** The list with this run's new contents; the same object where the run is not in it. */
export function patched(data: Pages | undefined, run: Run): Pages | undefined {
  if (data === undefined || !has(data, run.id)) return data;
  const pages = data.pages.map((page) => ({
    ...page,
    items: page.items.map((one) => (one.id === run.id ? run : one)),
  }));
  return { ...data, pages };
}

/** The list in which a run has a new state, before its other contents are known. */
export function moved(data: Pages | undefined, id: string, state: Run["state"]) {
  const run = data?.pages.flatMap((page) => page.items).find((one) => one.id === id);
  return run === undefined || run.state === state ? data : patched(data, { ...run, state });
}

export function has(data: Pages | undefined, id: string): boolean {
  return data?.pages.some((page) => page.items.some((one) => one.id === id)) ?? false;
}

/** How many of the newest runs are not in the list yet. */
export function unseen(data: Pages | undefined, newest: readonly Run[]): number {
  return newest.filter((one) => !has(data, one.id)).length;
}

/** Which answers about runs are still the newest: one may be slow, and come after a later one. */
export class Asked {
  private turn = 0;
  private readonly latest = new Map<string, number>();

  /** These are asked for now; the number of the turn. */
  begin(ids: readonly string[]): number {
    this.turn += 1;
    for (const id of ids) this.latest.set(id, this.turn);
    return this.turn;
  }

  /** What was asked about this run before now is out of date. */
  outdate(id: string): void {
    this.latest.delete(id);
  }

  /** Whether the answer of that turn may be shown; once. */
  takes(id: string, turn: number): boolean {
    return this.latest.get(id) === turn && this.latest.delete(id);
  }
}
