/** Lines of a log as they are put together from pages. Pure. */

import type { LogLine } from "./queries";

export const keyOf = (line: Pick<LogLine, "attempt" | "line">): string =>
  `${line.attempt}:${line.line}`;

/** Two pieces in one, without what both of them have; each is in order. */
export function joined(before: readonly LogLine[], after: readonly LogLine[]): LogLine[] {
  if (before.length === 0) return [...after];
  const seen = new Set(before.slice(-2000).map(keyOf));
  return [...before, ...after.filter((one) => !seen.has(keyOf(one)))];
}

/** `2:531@2026-…`: which line a link is to, and when it was written. */
export function linkTo(line: Pick<LogLine, "attempt" | "line" | "at">): string {
  return `${keyOf(line)}@${line.at}`;
}

export function linked(text: string | undefined): { key: string; at: string } | null {
  const found = /^(\d+:\d+)@(.+)$/.exec(text ?? "");
  if (found === null || Number.isNaN(Date.parse(found[2] ?? ""))) return null;
  return { key: found[1] ?? "", at: found[2] ?? "" };
}

/** `+1.204`, in seconds from the beginning of the run. */
export function sinceStart(at: string, start: string): string {
  const seconds = (Date.parse(at) - Date.parse(start)) / 1000;
  const sign = seconds < 0 ? "−" : "+";
  return `${sign}${Math.abs(seconds).toFixed(3)}`;
}
