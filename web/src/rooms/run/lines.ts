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

/** A row above what one execution of an operation wrote. */
export interface Fold {
  key: string;
  /** Which one: its attempt, operation and execution. */
  fold: string;
  first: LogLine;
  count: number;
  /** How many of them are errors. */
  bad: number;
  folded: boolean;
}

export type LogRow = Fold | { key: string; line: LogLine };

const BAD = new Set<string | null>(["error", "critical"]);

/**
 * The lines with a row above what each operation wrote, and without the lines of those that are
 * folded. Nothing is folded where `folded` is null, or only one operation wrote something. What
 * no operation wrote is never hidden.
 */
export function withFolds(
  lines: readonly LogLine[],
  folded: ReadonlySet<string> | null,
): readonly LogRow[] {
  const rows: LogRow[] = [];
  const folds = new Set(lines.map(foldOf));
  folds.delete(null);
  if (folded === null || folds.size < 2) {
    for (const line of lines) rows.push({ key: keyOf(line), line });
    return rows;
  }
  let open = null as Fold | null;
  for (const line of lines) {
    const fold = foldOf(line);
    if (fold === null) open = null;
    else if (open?.fold !== fold) {
      open = {
        key: `${fold} ${keyOf(line)}`,
        fold,
        first: line,
        count: 0,
        bad: 0,
        folded: folded.has(fold),
      };
      rows.push(open);
    }
    if (open !== null) {
      open.count += 1;
      if (BAD.has(line.level)) open.bad += 1;
    }
    if (open === null || !open.folded) rows.push({ key: keyOf(line), line });
  }
  return rows;
}

/** Which ones there are to fold. */
export function foldsOf(rows: readonly LogRow[]): string[] {
  return [...new Set(rows.flatMap((row) => ("fold" in row ? [row.fold] : [])))];
}

/** The key of the first line, folded or not: another one when earlier lines have come in. */
export function firstOf(rows: readonly LogRow[]): string {
  const row = rows[0];
  if (row === undefined) return "";
  return "fold" in row ? keyOf(row.first) : row.key;
}

function foldOf(line: LogLine): string | null {
  return line.operation === null
    ? null
    : `${line.attempt}/${line.operation}/${line.execution ?? 1}`;
}

/** `+1.204`, in seconds from the beginning of the run. */
export function sinceStart(at: string, start: string): string {
  const seconds = (Date.parse(at) - Date.parse(start)) / 1000;
  const sign = seconds < 0 ? "−" : "+";
  return `${sign}${Math.abs(seconds).toFixed(3)}`;
}
