import { expect, it } from "vitest";
import {
  firstOf,
  foldsOf,
  joined,
  keyOf,
  type LogRow,
  linked,
  linkTo,
  sinceStart,
  withFolds,
} from "./lines";
import type { LogLine } from "./queries";

const line = (attempt: number, number: number) =>
  ({ attempt, line: number, at: "2026-11-26T19:00:00Z", text: "" }) as LogLine;

it("joins pages without doubling what both have", () => {
  const found = joined([line(1, 1), line(1, 2)], [line(1, 2), line(1, 3), line(2, 1)]);
  expect(found.map(keyOf)).toEqual(["1:1", "1:2", "1:3", "2:1"]);
  expect(joined([], [line(1, 1)])).toHaveLength(1);
});

it("reads the link to a line as it was written", () => {
  expect(linked(linkTo(line(2, 531)))).toEqual({ key: "2:531", at: "2026-11-26T19:00:00Z" });
  expect([linked(undefined), linked("7"), linked("1:2@never")]).toEqual([null, null, null]);
});

it("counts from the beginning of the run", () => {
  expect(sinceStart("2026-11-26T19:00:01.204Z", "2026-11-26T19:00:00Z")).toBe("+1.204");
  expect(sinceStart("2026-11-26T18:59:59Z", "2026-11-26T19:00:00Z")).toBe("−1.000");
});

const said = (number: number, operation: string | null, level: string | null = null) =>
  ({ ...line(1, number), operation, execution: 1, level }) as LogLine;

const shown = (rows: readonly LogRow[]) =>
  rows.map((row) => ("fold" in row ? `${row.first.operation} ${row.count}` : row.line.line));

const LOG = [
  said(0, null),
  said(1, "load"),
  said(2, "load", "error"),
  said(3, null),
  said(4, "load"),
  said(5, "store"),
];

it("has a row above what each operation wrote, and hides what is folded and nothing else", () => {
  const rows = withFolds(LOG, new Set());
  expect(shown(rows)).toEqual([0, "load 2", 1, 2, 3, "load 1", 4, "store 1", 5]);
  expect(foldsOf(rows)).toEqual(["1/load/1", "1/store/1"]);
  expect(rows[1]).toMatchObject({ bad: 1, folded: false });
  expect(shown(withFolds(LOG, new Set(["1/load/1"])))).toEqual([
    0,
    "load 2",
    3,
    "load 1",
    "store 1",
    5,
  ]);
  expect(new Set(rows.map((row) => row.key)).size).toBe(rows.length);
});

it("folds nothing where that would hide what is searched for, or where there is one operation", () => {
  expect(shown(withFolds(LOG, null))).toEqual([0, 1, 2, 3, 4, 5]);
  expect(shown(withFolds(LOG.slice(0, 3), new Set(["1/load/1"])))).toEqual([0, 1, 2]);
});

it("knows by its first line whether earlier ones have come in above", () => {
  const folded = new Set(["1/load/1"]);
  expect(firstOf(withFolds(LOG.slice(1), folded))).toBe("1:1");
  expect(firstOf(withFolds(LOG, folded))).toBe("1:0");
  expect(firstOf([])).toBe("");
});
