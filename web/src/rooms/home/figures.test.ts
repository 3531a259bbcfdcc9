import { describe, expect, it } from "vitest";
import { bars, change, paired, points, progressOf } from "./figures";

const NOON = Date.parse("2026-05-01T12:20:00Z");

describe("the bars of a day", () => {
  it("are 24, also where nothing ended", () => {
    const hours = [
      { at: "2026-05-01T12:00:00Z", succeeded: 4, failed: 1 },
      { at: "2026-04-30T13:00:00Z", succeeded: 2, failed: 0 },
      { at: "2026-04-30T12:20:00Z", succeeded: 1, failed: 1 },
    ];
    const found = bars(hours, NOON);
    expect(found).toHaveLength(24);
    expect(found[23]).toMatchObject({ succeeded: 4, failed: 1 });
    expect(found[0]).toMatchObject({ succeeded: 3, failed: 1 });
    expect(found[5]).toMatchObject({ succeeded: 0, failed: 0 });
  });

  it("are half as many on a phone, two hours each, and lose none", () => {
    const hours = [
      { at: "2026-05-01T12:00:00Z", succeeded: 4, failed: 1 },
      { at: "2026-05-01T11:00:00Z", succeeded: 2, failed: 0 },
    ];
    const found = paired(bars(hours, NOON));
    expect(found).toHaveLength(12);
    expect(found[11]).toEqual({ at: NOON - 80 * 60_000, hours: 2, succeeded: 6, failed: 1 });
  });
});

describe("how far a run is", () => {
  const run = {
    id: "1",
    group: "g",
    workflow: "w",
    state: "running",
    started_at: "2026-05-01T12:10:00Z",
    usual: 1200,
    progress: null,
  };

  it("is what such runs take, where it says nothing", () => {
    expect(progressOf(run, NOON)).toEqual({ fraction: 0.5, left: 600 });
  });

  it("is what its operation says", () => {
    const progress = {
      operation: "load",
      step_id: "s",
      done: 3,
      total: 4,
      fraction: 0.75,
      note: "",
      at: "2026-05-01T12:19:00Z",
    };
    expect(progressOf({ ...run, progress }, NOON)).toEqual({ fraction: 0.75, left: 200 });
  });

  it("is never done before it is, and says by how much it is over", () => {
    expect(progressOf({ ...run, usual: 300 }, NOON)).toEqual({ fraction: 0.98, left: -300 });
    expect(progressOf({ ...run, usual: null }, NOON).left).toBeNull();
  });
});

describe("a comparison", () => {
  it("is said in per cent, or in points where it is a share", () => {
    expect([change(120, 100), change(97, 100), change(100, 100)]).toEqual(["+20 %", "−3 %", null]);
    expect(change(1, 0)).toBeNull();
    expect([points(0.024, 0.01), points(0.01, 0.01)]).toEqual(["+1.4 points", null]);
  });
});
