/** Measurements as points of a chart: an even axis of time, marks of releases. Pure. */

import type { Schemas } from "@/api/client";

type Measured = Schemas["Measured"];

export interface Point {
  at: string;
  /** Where the next one begins. */
  until: string;
  succeeded: number;
  failed: number;
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

const LENGTH = { hour: 3_600_000, day: 86_400_000 };

/** A point for each hour or day of the range, also where nothing ended. */
export function pointsOf({
  points,
  from_,
  to,
  step,
}: Pick<Measured, "points" | "from_" | "to" | "step">): Point[] {
  const there = new Map(points.map((one) => [Date.parse(one.at), one]));
  const length = LENGTH[step];
  const found: Point[] = [];
  for (
    let at = Math.floor(Date.parse(from_) / length) * length;
    at < Date.parse(to);
    at += length
  ) {
    const one = there.get(at);
    found.push({
      at: new Date(at).toISOString(),
      until: new Date(at + length).toISOString(),
      succeeded: one?.succeeded ?? 0,
      failed: one?.failed ?? 0,
      p50: one?.duration.p50 ?? null,
      p95: one?.duration.p95 ?? null,
      p99: one?.duration.p99 ?? null,
    });
  }
  return found;
}

/** The releases by the point in which they were made: one mark, however many there are. */
export function marksOf(
  points: readonly Point[],
  releases: readonly { at: string; number: number; group?: string }[],
): { at: string; numbers: number[] }[] {
  const found = new Map<string, number[]>();
  for (const one of releases) {
    const point = points.findLast((each) => Date.parse(each.at) <= Date.parse(one.at));
    if (point === undefined) continue;
    const numbers = found.get(point.at) ?? [];
    found.set(point.at, numbers.includes(one.number) ? numbers : [...numbers, one.number]);
  }
  return [...found].map(([at, numbers]) => ({ at, numbers }));
}
