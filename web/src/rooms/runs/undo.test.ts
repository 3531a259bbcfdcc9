import { describe, expect, it } from "vitest";
import type { Bulk } from "./queries";
import { undoOf } from "./undo";

const bulk = (change: Partial<Bulk>): Bulk => ({
  id: "b",
  action: "cancel",
  arguments: {},
  query: null,
  ids: ["1", "2", "3"],
  state: "finished",
  total: 3,
  done: 3,
  failed: 0,
  failures: [],
  rate: 20,
  reason: "a mistake",
  created_by: "ada",
  created_at: "2026-11-26T10:00:00Z",
  finished_at: "2026-11-26T10:00:02Z",
  ...change,
});

describe("what takes an act on many runs back", () => {
  it("asks again for those that were cancelled, and for no other", () => {
    const failures = [{ run_id: "2", code: "run-ended", what: "It has ended." }];
    const found = undoOf(bulk({ done: 2, failed: 1, failures }));
    expect(found?.act.action).toBe("repeat");
    expect(found?.target).toEqual({ ids: ["1", "3"] });
  });

  it("is nothing where it is not known which ones were cancelled", () => {
    expect(undoOf(bulk({ ids: null, query: "state:running" }))).toBeNull();
    expect(undoOf(bulk({ done: 1, failed: 2 }))).toBeNull();
    expect(undoOf(bulk({ state: "cancelled", done: 1 }))).toBeNull();
  });

  it("cancels those that were started, while they go on", () => {
    const found = undoOf(bulk({ action: "reexecute" }));
    expect(found?.act).toMatchObject({ action: "cancel", danger: true });
    expect(found?.target).toEqual({
      query:
        "trigger:reexecution by:ada since:2026-11-26T10:00:00Z until:2026-11-26T10:00:02Z state:waiting,starting,running",
    });
  });

  it("waits for the end, and is nothing for labels, or where nothing was done", () => {
    expect(undoOf(bulk({ action: "repeat", state: "running", finished_at: null }))).toBeNull();
    expect(undoOf(bulk({ action: "label" }))).toBeNull();
    expect(undoOf(bulk({ action: "repeat", done: 0 }))).toBeNull();
  });
});
