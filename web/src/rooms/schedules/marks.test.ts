import { describe, expect, it } from "vitest";
import {
  futureItems,
  type Lane,
  latest,
  nearest,
  nextRun,
  pastItems,
  tally,
  unlisted,
  worst,
} from "./marks";
import { DAY, HOUR } from "./zones";

const NOON = Date.parse("2026-05-01T12:00:00Z");
const DAYS = { begin: NOON - 2 * DAY, end: NOON + DAY, width: 600 };
const iso = (at: number) => new Date(at).toISOString();

function lane(more: Partial<Lane> = {}): Lane {
  return {
    schedule_id: "1",
    group: "weather",
    workflow: "nightly",
    name: "default",
    description: "At 02:30",
    timezone: "UTC",
    origin: "source",
    overlap: "skip",
    misfire: "latest",
    next_due: null,
    paused_at: null,
    paused_until: null,
    pause_reason: null,
    notes: [],
    made_up: [],
    observed: { runs: 10, p50: 3600, p95: 7200 },
    past: [],
    past_cells: [],
    future: [],
    future_cells: [],
    truncated: false,
    ...more,
  };
}

function mark(at: number, outcome: string, more: Partial<Lane["past"][number]> = {}) {
  return {
    first_due: iso(at),
    last_due: iso(at),
    count: 1,
    outcome,
    why: null,
    late: false,
    delay: null,
    duration: null,
    run_id: null,
    ...more,
  };
}

describe("past marks", () => {
  it("begin where the run began and are as long as it took", () => {
    const past = [mark(NOON - DAY, "succeeded", { delay: 3600, duration: 7200, run_id: "r" })];
    const [item] = pastItems(lane({ past }), DAYS);
    expect(item?.kind).toBe("mark");
    expect(item?.left).toBeCloseTo(200 + 600 / 72);
    expect((item?.right ?? 0) - (item?.left ?? 0)).toBeCloseTo((2 * 600) / 72);
    expect(item?.runId).toBe("r");
  });

  it("are never too narrow to be seen", () => {
    const [item] = pastItems(lane({ past: [mark(NOON - DAY, "failed")] }), DAYS);
    expect((item?.right ?? 0) - (item?.left ?? 0)).toBe(5);
  });

  it("are one band where many instants have the same fate", () => {
    const week = mark(NOON - DAY, "paused", { count: 12, last_due: iso(NOON - HOUR) });
    const [item] = pastItems(lane({ past: [week] }), DAYS);
    expect([item?.kind, item?.count]).toEqual(["band", 12]);
    expect(item?.right).toBeCloseTo(400 - 600 / 72);
  });

  it("are counted in cells where they cannot be told apart, which show the worst", () => {
    const past = Array.from({ length: 96 }, (_, n) =>
      mark(NOON - 2 * DAY + (n * HOUR) / 2, n === 5 ? "failed" : "succeeded"),
    );
    const items = pastItems(lane({ past }), DAYS, NOON);
    expect(new Set(items.map((one) => one.kind))).toEqual(new Set(["cell"]));
    expect(items.reduce((sum, one) => sum + one.count, 0)).toBe(96);
    expect(items.filter((one) => one.outcome === "failed")).toHaveLength(1);
    expect(items[0]?.outcomes).toEqual({ succeeded: 5, failed: 1 });
  });

  it("stay themselves where only few of them are near", () => {
    const hours = [1, 1.2, 10, 20, 30, 40];
    const past = hours.map((hour) => mark(NOON - 2 * DAY + hour * HOUR, "succeeded"));
    expect(pastItems(lane({ past }), DAYS, NOON).map((one) => one.kind)).toEqual(
      hours.map(() => "mark"),
    );
  });

  it("end now, and what is to come begins there, where today's cell is of both", () => {
    const begin = iso(NOON - 12 * HOUR);
    const cell = { begin, count: 9, worst: "succeeded", outcomes: { succeeded: 9 } };
    const day = { begin: NOON - 14 * DAY, end: NOON + 7 * DAY, width: 630 };
    const [past] = pastItems(lane({ past_cells: [cell] }), day, NOON);
    const coming = { begin, count: 3, worst: "coming", outcomes: { coming: 3 } };
    const [future] = futureItems(lane({ future_cells: [coming] }), day, NOON);
    expect(past?.right).toBeCloseTo(420);
    expect(future?.left).toBeCloseTo(420);
  });

  it("say that a backfill made up for them", () => {
    const past = [mark(NOON - DAY, "missed")];
    const made = { due_at: iso(NOON - DAY), outcome: "succeeded", backfill_id: "b", run_id: "r" };
    expect(pastItems(lane({ past, made_up: [made] }), DAYS)[0]?.madeUp).toBe(1);
    const planned = { ...made, outcome: "planned", run_id: null };
    expect(pastItems(lane({ past, made_up: [planned] }), DAYS)[0]?.madeUp).toBe(0);
  });

  it("are cells of the server's above 200", () => {
    const past_cells = [
      {
        begin: iso(NOON - DAY),
        count: 60,
        worst: "missed",
        outcomes: { missed: 1, succeeded: 59 },
      },
    ];
    const [item] = pastItems(lane({ past_cells }), DAYS);
    expect([item?.kind, item?.outcome, item?.count]).toEqual(["cell", "missed", 60]);
    expect((item?.right ?? 0) - (item?.left ?? 0)).toBeCloseTo(600 / 72);
  });
});

describe("what is to come", () => {
  it("is as wide as half the runs take, and reaches as far as nearly all do", () => {
    const [item] = futureItems(lane({ future: [{ at: iso(NOON + HOUR), skipped: null }] }), DAYS);
    expect([item?.kind, item?.outcome]).toEqual(["coming", "coming"]);
    expect((item?.right ?? 0) - (item?.left ?? 0)).toBeCloseTo(600 / 72);
    expect((item?.reach ?? 0) - (item?.left ?? 0)).toBeCloseTo(1200 / 72);
  });

  it("is one band as long as it is paused", () => {
    const future = [1, 5, 9, 13].map((n) => ({
      at: iso(NOON + n * HOUR),
      skipped: n < 12 ? "paused" : null,
    }));
    const items = futureItems(lane({ future }), DAYS);
    expect(items.map((one) => [one.kind, one.outcome, one.count])).toEqual([
      ["band", "paused", 3],
      ["coming", "coming", 1],
    ]);
  });

  it("runs next at the first that nothing takes", () => {
    const at = (hours: number) => iso(NOON + hours * HOUR);
    const future = [
      { at: at(1), skipped: "paused" },
      { at: at(2), skipped: "calendar: Labour Day" },
      { at: at(3), skipped: null },
    ];
    const held = { next_due: at(1), paused_at: at(-1), paused_until: at(1.5) };
    expect(nextRun(lane({ ...held, future }))).toBe(at(3));
    expect(nextRun(lane({ ...held, paused_until: null, future }))).toBeNull();
    expect(nextRun(lane({ ...held, future: future.slice(0, 1) }))).toBeNull();
    expect(nextRun(lane({ next_due: at(1), future: future.slice(2) }))).toBe(at(1));
    expect(nextRun(lane({ next_due: null }))).toBeNull();
  });

  it("says what will be skipped, and why", () => {
    const future = [{ at: iso(NOON + HOUR), skipped: "calendar: Labour Day" }];
    const [item] = futureItems(lane({ future }), DAYS);
    expect([item?.outcome, item?.why]).toEqual(["skipped", "calendar: Labour Day"]);
  });
});

describe("a pointer", () => {
  const past = [mark(NOON - DAY, "succeeded"), mark(NOON - HOUR, "missed")];
  const items = pastItems(lane({ past }), DAYS);

  it("means the nearest mark within reach", () => {
    expect(nearest(items, 209)?.outcome).toBe("succeeded");
    expect(nearest(items, 395)?.outcome).toBe("missed");
  });

  it("means none far from all", () => {
    expect(nearest(items, 300)).toBeNull();
  });
});

describe("a tally", () => {
  it("counts what was bad apart, the worst first", () => {
    const past = [
      mark(NOON - DAY, "succeeded", { late: true }),
      mark(NOON - 9 * HOUR, "missed", { count: 3 }),
      mark(NOON - 8 * HOUR, "skipped"),
      mark(NOON - 7 * HOUR, "failed"),
    ];
    const found = tally(lane({ past }));
    expect([found.total, found.good, found.late]).toEqual([6, 1, 1]);
    expect(found.bad).toEqual([
      { outcome: "failed", count: 1 },
      { outcome: "missed", count: 3 },
    ]);
    expect(found.other).toEqual([{ outcome: "skipped", count: 1 }]);
    expect(latest(lane({ past }))).toBe("failed");
    expect(worst(["succeeded", "skipped", "blocked"])).toBe("blocked");
  });
});

describe("what the server does not list", () => {
  const future = [1, 2, 3].map((hours) => ({ at: iso(NOON + hours * HOUR), skipped: null }));

  it("begins behind the last fire that it does", () => {
    const cut = lane({ future, truncated: true });
    const items = futureItems(cut, DAYS);
    expect(unlisted(cut, items, DAYS)).toEqual({ begin: items.at(-1)?.right, end: 600 });
  });

  it("is nothing where all are listed, or no room is left", () => {
    const cut = lane({ future, truncated: true });
    expect(unlisted(lane({ future }), [], DAYS)).toBeNull();
    const late = futureItems(lane({ future: [{ at: iso(DAYS.end), skipped: null }] }), DAYS);
    expect(unlisted(cut, late, DAYS)).toBeNull();
  });
});
