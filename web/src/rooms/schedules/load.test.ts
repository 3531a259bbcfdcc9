import { describe, expect, it } from "vitest";
import { area, loadAt, topOf } from "./load";
import { HOUR } from "./zones";

const BEGIN = Date.parse("2026-05-01T12:00:00Z");
const scale = { begin: BEGIN, end: BEGIN + HOUR, width: 400 };
const load = [0, 1, 2, 3].map((n) => ({
  begin: new Date(BEGIN + (n * HOUR) / 4).toISOString(),
  runs: n,
  begins: n,
  expected: n >= 2,
}));
const values = load.map((one) => one.runs);

describe("the load lane", () => {
  it("is drawn in steps, the past apart from what is expected", () => {
    const found = area(load, values, 900, null, scale, 30);
    expect(found.past).toBe("M0 30V30H100V20H200V30Z");
    expect(found.future).toBe("M200 30V10H300V0H400V30Z");
    expect(found.limit).toBeNull();
  });

  it("has room for its limit", () => {
    const found = area(load, values, 900, 6, scale, 60);
    expect([found.top, found.limit]).toEqual([7.5, 12]);
  });

  it("ends at a round number that is never 0", () => {
    expect([topOf([], null), topOf([0.2], null), topOf([3.2], null)]).toEqual([1, 1, 4]);
    expect([topOf([14], 6), topOf([120], null)]).toEqual([15, 150]);
  });

  it("knows the cell at a place", () => {
    expect(loadAt(load, 900, BEGIN + HOUR / 2)).toBe(2);
    expect(loadAt(load, 900, BEGIN + 2 * HOUR)).toBeNull();
  });
});
