import { describe, expect, it } from "vitest";
import { marksOf, pointsOf } from "./measured";

const durations = { average: 1, p50: 1, p95: 2, p99: 3 };
const point = (at: string) => ({
  at,
  duration: durations,
  error_rate: 0,
  failed: 1,
  judged: 3,
  other: 0,
  retried: 0,
  succeeded: 2,
  success_rate: 1,
});
const range = {
  from_: "2026-11-26T10:00:00Z",
  to: "2026-11-26T13:00:00Z",
  step: "hour" as const,
};

describe("points", () => {
  it("are there for every hour, so that the axis is even", () => {
    const found = pointsOf({ ...range, points: [point("2026-11-26T11:00:00Z")] });
    expect(found.map((one) => [one.at.slice(11, 13), one.succeeded, one.p95])).toEqual([
      ["10", 0, null],
      ["11", 2, 2],
      ["12", 0, null],
    ]);
    expect(found[0]?.until).toBe(found[1]?.at);
  });

  it("have one mark for the releases of their time", () => {
    const points = pointsOf({ ...range, points: [] });
    const releases = [
      { at: "2026-11-26T09:59:00Z", number: 1 },
      { at: "2026-11-26T11:01:00Z", number: 2 },
      { at: "2026-11-26T11:59:00Z", number: 3 },
    ];
    expect(marksOf(points, releases)).toEqual([{ at: points[1]?.at, numbers: [2, 3] }]);
  });
});
