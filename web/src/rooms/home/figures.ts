/** The figures of the first page, put into order. Pure. */

import { duration } from "@/lib/time";
import type { Summary } from "./queries";

export const HOUR = 3_600_000;

export interface Bar {
  at: number;
  /** Hours that it stands for. */
  hours: number;
  succeeded: number;
  failed: number;
}

/** 24 hours up to now, oldest first; hours in which nothing ended are there too. */
export function bars(hours: Summary["hours"], now: number): Bar[] {
  const last = Math.floor(now / HOUR) * HOUR;
  const found = Array.from({ length: 24 }, (_, n) => ({
    at: last - (23 - n) * HOUR,
    hours: 1,
    succeeded: 0,
    failed: 0,
  }));
  for (const one of hours) {
    const at = Date.parse(one.at);
    const bar = found.find((each) => at >= each.at && at < each.at + HOUR) ?? nearest(found, at);
    if (bar === undefined) continue;
    bar.succeeded += one.succeeded;
    bar.failed += one.failed;
  }
  return found;
}

/** Two hours in one bar: 24 of them are too narrow for a finger on a phone. */
export function paired(bars: readonly Bar[]): Bar[] {
  return bars.flatMap((one, at) => {
    const next = bars[at + 1];
    if (at % 2 === 1 || next === undefined) return [];
    return {
      at: one.at,
      hours: one.hours + next.hours,
      succeeded: one.succeeded + next.succeeded,
      failed: one.failed + next.failed,
    };
  });
}

/** The server's first hour may begin a little before ours. */
function nearest(bars: readonly Bar[], at: number): Bar | undefined {
  const first = bars[0];
  return first !== undefined && at < first.at && first.at - at < HOUR ? first : undefined;
}

export interface Progress {
  /** 0 to 1. */
  fraction: number | null;
  /** Seconds; negative: longer than usual. */
  left: number | null;
}

/** How far a run is: as its operation says, else by how long such runs take. */
export function progressOf(run: Summary["running"][number], now: number): Progress {
  const elapsed = run.started_at === null ? 0 : (now - Date.parse(run.started_at)) / 1000;
  const told = run.progress?.fraction ?? null;
  if (told !== null && told > 0.02) {
    const fraction = Math.min(1, told);
    return { fraction, left: elapsed / fraction - elapsed };
  }
  if (run.usual === null || run.usual <= 0) return { fraction: told, left: null };
  return { fraction: Math.min(0.98, elapsed / run.usual), left: run.usual - elapsed };
}

/** `+12 %`, `−3 %`; null where it is the same, or one of both is not known. */
export function change(now: number | null, then: number | null): string | null {
  if (now === null || then === null || then === 0) return null;
  const percent = Math.round((now / then - 1) * 100);
  return percent === 0 ? null : `${percent > 0 ? "+" : "−"}${Math.abs(percent)} %`;
}

/** How much of a percentage point more or less. */
export function points(now: number | null, then: number | null): string | null {
  if (now === null || then === null) return null;
  const by = Math.round((now - then) * 1000) / 10;
  return by === 0 ? null : `${by > 0 ? "+" : "−"}${Math.abs(by)} points`;
}

/** `12s`, `4m 05s`; at least one second. */
export function countdown(seconds: number): string {
  return duration(Math.max(1, Math.floor(seconds)));
}
