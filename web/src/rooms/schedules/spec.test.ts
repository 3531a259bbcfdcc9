import { describe, expect, it } from "vitest";
import { cliOf, FRESH, formOf, specOf } from "./spec";

describe("a form", () => {
  it.each([
    {
      kind: "cron",
      expression: "30 2 * * *",
      timezone: "Europe/Oslo",
      overlap: "queue",
      misfire: "all",
      jitter: 300,
      exclude: ["holidays:NO"],
    },
    { kind: "interval", seconds: 5400, overlap: "skip", misfire: "latest" },
    {
      kind: "interval",
      seconds: 172_800,
      anchor: "2026-01-01T00:00:00Z",
      overlap: "allow",
      misfire: "skip",
    },
    { kind: "once", at: "2026-12-24T16:00:00Z", overlap: "skip", misfire: "latest" },
  ])("says the same as the schedule it was made of: $kind", (spec) => {
    expect(specOf(formOf(spec))).toEqual(spec);
  });

  it("has an interval in its largest whole unit", () => {
    expect(formOf({ kind: "interval", seconds: 5400 })).toMatchObject({
      every: 90,
      unit: "minutes",
    });
    expect(formOf({ kind: "interval", seconds: 7200 })).toMatchObject({ every: 2, unit: "hours" });
  });

  it("is a command as well", () => {
    const form = { ...FRESH, timezone: "Europe/Oslo", exclude: ["holidays:NO"] };
    expect(cliOf(form).join(" ")).toBe(
      '--cron "30 7 * * MON-FRI" --timezone Europe/Oslo --overlap skip --misfire latest --exclude holidays:NO',
    );
  });
});
