import { describe, expect, it } from "vitest";
import { placeOf } from "./links";

const effect = (code: string, ...ids: string[]) => ({
  code,
  workflow: "nightly",
  sentence: "",
  count: ids.length,
  ids,
  sample: [],
  fires: [],
});

describe("where an effect of accepting is looked at", () => {
  it("is the form of the schedule whose values will not fit, to be mended there", () => {
    const found = placeOf(effect("schedule-misfit", "s1"));
    expect(found).toMatchObject({ to: "/schedules", search: { schedule: "s1", tab: "edit" } });
    expect(found?.mend).toBe(true);
  });

  it("is the one schedule, or the one run, that it is about", () => {
    expect(placeOf(effect("schedules-follow", "s1"))?.search).toEqual({ schedule: "s1" });
    expect(placeOf(effect("runs-continue", "r1"))?.params).toEqual({ runId: "r1" });
  });

  it("is nowhere where it is about several, or none", () => {
    expect(placeOf(effect("schedules-follow", "s1", "s2"))).toBeNull();
    expect(placeOf(effect("schedule-next"))).toBeNull();
    expect(placeOf(effect("steps-lose-handler", "x"))).toBeNull();
  });
});
