import { describe, expect, it } from "vitest";
import { type Bar, barsOfRun, barsOfStep, ownSeconds, stateOf, waited } from "./pieces";
import type { RunDetail, RunStep } from "./queries";

const at = (second: number) => new Date(second * 1000).toISOString();

const run = {
  phases: [
    { name: "queued", attempt: 1, started_at: at(0), finished_at: at(2), seconds: 2 },
    { name: "starting", attempt: 1, started_at: at(2), finished_at: at(5), seconds: 3 },
    { name: "running", attempt: 1, started_at: at(5), finished_at: at(9), seconds: 4 },
    { name: "retry wait", attempt: 2, started_at: at(9), finished_at: at(20), seconds: 11 },
    { name: "running", attempt: 2, started_at: at(20), finished_at: null, seconds: 4 },
  ],
} as unknown as RunDetail;

const NOW = 24_000;
const phases = barsOfRun(run, NOW);

function step(given: Partial<RunStep>): RunStep {
  return {
    created_at: at(0),
    started_at: null,
    ended_at: null,
    ended_as: null,
    executions: 1,
    failures: 0,
    lost: 0,
    claimed: true,
    reused: false,
    ...given,
  } as RunStep;
}

const brief = (bars: Bar[]) => bars.map((one) => [one.name, one.from / 1000, one.until / 1000]);

describe("the bar of an operation", () => {
  it("has the phases that the first one waited for, then its own run", () => {
    const first = step({ started_at: at(5), ended_at: at(7), ended_as: "done" });
    expect(brief(barsOfStep(first, phases, NOW))).toEqual([
      ["queued", 0, 2],
      ["starting", 2, 5],
      ["running", 5, 7],
    ]);
  });

  it("has earlier tries and the wait between them, where it was tried before", () => {
    const again = step({ created_at: at(7), started_at: at(21), executions: 2, failures: 1 });
    expect(brief(barsOfStep(again, phases, NOW))).toEqual([
      ["earlier tries", 7, 9],
      ["retry wait", 9, 20],
      ["earlier tries", 20, 21],
      ["running", 21, 24],
    ]);
  });

  it("goes on until now, and says so", () => {
    const bars = barsOfStep(step({ created_at: at(20), started_at: at(21) }), phases, NOW);
    expect(bars.at(-1)).toMatchObject({ name: "running", until: NOW, open: true, attempt: 2 });
  });

  it("runs from its hand-over on while its first try goes on, of which nothing is written yet", () => {
    const first = step({ created_at: at(20), executions: 0 });
    expect(brief(barsOfStep(first, phases, NOW))).toEqual([["running", 20, 24]]);
    expect(ownSeconds(barsOfStep(first, phases, NOW))).toBe(4);
  });

  it("has no earlier tries where its only one has failed", () => {
    const once = step({ created_at: at(20), started_at: at(21), ended_at: at(22), failures: 1 });
    const names = barsOfStep(once, phases, NOW).map((one) => one.name);
    expect(names).toEqual(["handed over", "running"]);
  });

  it("took what its earlier tries took, too", () => {
    const again = step({ created_at: at(20), started_at: at(23), executions: 2, failures: 1 });
    expect(ownSeconds(barsOfStep(again, phases, NOW))).toBe(4);
  });

  it("is not there for a result that was taken over", () => {
    expect(barsOfStep(step({ reused: true }), phases, NOW)).toEqual([]);
  });

  it("waits again after a failure, until it is due", () => {
    const asleep = step({ created_at: at(5), started_at: at(6), claimed: false, failures: 1 });
    expect(brief(barsOfStep(asleep, phases, NOW)).map(([name]) => name)).toEqual([
      "earlier tries",
      "retry wait",
      "earlier tries",
    ]);
  });
});

it("does not call the tries before the last one waiting", () => {
  const once = step({ created_at: at(5), started_at: at(6), ended_at: at(7) });
  expect(waited(once)).toBe(1);
  expect(waited({ ...once, executions: 2 })).toBeNull();
});

it("says in one word where an operation is", () => {
  expect(stateOf(step({ ended_as: "done" }))).toBe("succeeded");
  expect(stateOf(step({}))).toBe("running");
  expect(stateOf(step({ claimed: false }))).toBe("waiting");
});
