import { describe, expect, it } from "vitest";
import { barsOf, spanBetween } from "./bars";

const found: Parameters<typeof barsOf>[0] = {
  since: "2026-11-26T00:00:00Z",
  until: "2026-11-26T04:00:00Z",
  seconds: 3600,
  buckets: [
    { at: "2026-11-26T01:00:00Z", counts: { failed: 2, succeeded: 5, starting: 1, running: 1 } },
    { at: "2026-11-26T03:00:00Z", counts: { cancelled: 1 } },
  ],
};

describe("the bars of a histogram", () => {
  it("are as many as there are spans, also where nothing was", () => {
    expect(barsOf(found).map((one) => one.total)).toEqual([0, 9, 0, 1]);
  });

  it("put states that mean the same into one piece", () => {
    expect(barsOf(found)[1]?.counts).toEqual({ failed: 2, "under way": 2, succeeded: 5 });
  });

  it("give the span of a drag, whichever way it went", () => {
    const bars = barsOf(found);
    const span = { since: "2026-11-26T01:00:00Z", until: "2026-11-26T03:00:00Z" };
    expect(spanBetween(bars, 1, 2)).toEqual(span);
    expect(spanBetween(bars, 2, 1)).toEqual(span);
  });
});
