/** The load lane: how many runs go on at once, drawn as steps against a limit. Pure. */

import type { Schemas } from "@/api/client";
import { type Scale, toX } from "./scale";

export type Load = Schemas["Load"];
export type Busy = Schemas["Busy"];

export interface Area {
  past: string;
  future: string;
  /** Pixels from the top; null where there is no limit or it lies above what is shown. */
  limit: number | null;
  /** What the top of the lane stands for. */
  top: number;
}

/** The top of an axis for these values: above the limit, a round number, never 0. */
export function topOf(values: readonly number[], limit: number | null): number {
  const most = Math.max(1, 1.2 * (limit ?? 0), ...values);
  if (most <= 5) return Math.ceil(most);
  const size = 10 ** Math.floor(Math.log10(most));
  const half = size / 2;
  return Math.ceil(most / half) * half;
}

/** Two closed paths, what was and what is expected, `height` pixels high. */
export function area(
  load: readonly Load[],
  values: readonly number[],
  seconds: number,
  limit: number | null,
  scale: Scale,
  height: number,
): Area {
  const top = topOf(values, limit);
  const y = (runs: number) => Math.round((height - (runs / top) * height) * 10) / 10;
  const path = (expected: boolean) => {
    const mine = load
      .map((one, at) => ({ begin: Date.parse(one.begin), runs: values[at] ?? 0, one }))
      .filter(({ one }) => one.expected === expected);
    return steps(
      mine.map(({ begin, runs }) => ({
        from: clamp(toX(scale, begin), scale.width),
        to: clamp(toX(scale, begin + seconds * 1000), scale.width),
        y: y(runs),
      })),
      height,
    );
  };
  return {
    past: path(false),
    future: path(true),
    limit: limit === null ? null : y(limit),
    top,
  };
}

function clamp(x: number, width: number): number {
  return Math.round(Math.min(width, Math.max(0, x)) * 10) / 10;
}

function steps(cells: readonly { from: number; to: number; y: number }[], height: number): string {
  const first = cells[0];
  const last = cells[cells.length - 1];
  if (first === undefined || last === undefined) return "";
  const tops = cells.map((one) => `V${one.y}H${one.to}`).join("");
  return `M${first.from} ${height}${tops}V${height}Z`;
}

/** The cell at a place; null outside. */
export function loadAt(load: readonly Load[], seconds: number, at: number): number | null {
  const found = load.findIndex((one) => {
    const begin = Date.parse(one.begin);
    return at >= begin && at < begin + seconds * 1000;
  });
  return found === -1 ? null : found;
}
