import { describe, expect, it } from "vitest";
import { type Show, shown } from "./filters";
import type { Lane } from "./marks";
import { HOUR } from "./zones";

const MORNING = Date.parse("2026-05-01T08:00:00Z");

type Fire = [hoursAgo: number, outcome: string];

function lane(name: string, fires: Fire[], more: Partial<Lane> = {}): Lane {
  const past = fires.map(([hours, outcome]) => {
    const due = new Date(MORNING - hours * HOUR).toISOString();
    return { first_due: due, last_due: due, count: 1, outcome };
  });
  const rest = { paused_at: null, next_due: null, made_up: [], past_cells: [], ...more };
  return {
    group: "weather",
    workflow: name,
    name: "default",
    description: "",
    past,
    ...rest,
  } as unknown as Lane;
}

const names = (show: Show, ...lanes: Lane[]) =>
  shown(lanes, "", show, MORNING).map((one) => one.workflow);

describe("the schedules whose fires were skipped", () => {
  const good = lane("good", [
    [26, "skipped"],
    [2, "succeeded"],
  ]);

  it("are those of the last day, whatever came after", () => {
    const night = lane("night", [
      [6, "skipped"],
      [5, "succeeded"],
    ]);
    expect(names("skipped", good, night)).toEqual(["night"]);
  });

  it("are those whose newest one was, however long ago", () => {
    const monthly = lane("monthly", [[20 * 24, "skipped"]]);
    expect(names("skipped", good, monthly)).toEqual(["monthly"]);
  });

  it("are no others: what failed is for attention, what is paused for itself", () => {
    const failed = lane("failed", [[1, "failed"]]);
    const paused = lane("paused", [[1, "paused"]], { paused_at: "2026-04-30T00:00:00Z" });
    expect(names("skipped", failed, paused)).toEqual([]);
    expect(names("attention", failed, paused)).toEqual(["failed"]);
    expect(names("paused", failed, paused)).toEqual(["paused"]);
  });

  it("are not those that a backfill has made up for", () => {
    const due = new Date(MORNING - HOUR).toISOString();
    const made_up = [{ due_at: due, outcome: "succeeded", backfill_id: "b", run_id: null }];
    expect(names("skipped", lane("late", [[1, "skipped"]], { made_up }))).toEqual([]);
  });

  it("are found in cells too, where fires are too many to be listed", () => {
    const begin = new Date(MORNING - HOUR).toISOString();
    const cell = (outcomes: Record<string, number>) => ({
      past_cells: [{ begin, count: 60, worst: "succeeded", outcomes }],
    });
    const busy = lane("busy", [], cell({ succeeded: 59, skipped: 1 }));
    expect(names("skipped", busy, lane("calm", [], cell({ succeeded: 60 })))).toEqual(["busy"]);
  });
});
