/** Buckets of the API -> bars without gaps. Pure. */

import type { Histogram } from "./queries";

export type GroupName = "failed" | "cancelled" | "under way" | "succeeded";

/** What is drawn as one piece of a bar, from top to bottom. */
export const GROUPS: readonly { name: GroupName; states: readonly string[] }[] = [
  { name: "failed", states: ["failed"] },
  { name: "cancelled", states: ["cancelled", "superseded"] },
  { name: "under way", states: ["waiting", "starting", "running", "cancelling"] },
  { name: "succeeded", states: ["succeeded"] },
];

export interface Bar {
  at: string;
  until: string;
  total: number;
  counts: Partial<Record<GroupName, number>>;
}

const MOST = 500;

/** A bar for each span, also where nothing was: the API leaves empty ones out. */
export function barsOf(found: Pick<Histogram, "since" | "until" | "seconds" | "buckets">): Bar[] {
  const since = Date.parse(found.since);
  const step = found.seconds * 1000;
  const count = Math.min(MOST, Math.max(1, Math.round((Date.parse(found.until) - since) / step)));
  const bars = Array.from({ length: count }, (_, at): Bar => {
    const iso = (n: number) => new Date(since + n * step).toISOString();
    return { at: iso(at), until: iso(at + 1), total: 0, counts: {} };
  });
  for (const bucket of found.buckets) {
    const bar =
      bars[Math.min(count - 1, Math.floor((Date.parse(bucket.at) - since) / step + 1e-6))];
    if (bar === undefined) continue;
    for (const { name, states } of GROUPS) {
      const sum = states.reduce((all, state) => all + (bucket.counts[state] ?? 0), 0);
      if (sum === 0) continue;
      bar.counts[name] = (bar.counts[name] ?? 0) + sum;
      bar.total += sum;
    }
  }
  return bars;
}

/** From the first to the last of the bars that were dragged over, in whole seconds. */
export function spanBetween(bars: readonly Bar[], from: number, to: number) {
  const first = bars[Math.min(from, to)];
  const last = bars[Math.max(from, to)];
  if (first === undefined || last === undefined) return null;
  const whole = (at: number) => new Date(at * 1000).toISOString().replace(".000Z", "Z");
  return {
    since: whole(Math.floor(Date.parse(first.at) / 1000)),
    until: whole(Math.ceil(Date.parse(last.until) / 1000)),
  };
}
