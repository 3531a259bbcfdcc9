import { expect, it } from "vitest";
import { joined, keyOf, linked, linkTo, sinceStart } from "./lines";
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
