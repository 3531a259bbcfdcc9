import { describe, expect, it } from "vitest";
import { clock, clockChanges, dayAndClock, forReader, HOUR, instantOf, offset } from "./zones";

const OSLO = "Europe/Oslo";
const at = (text: string) => Date.parse(text);

describe("a zone's clock", () => {
  it("is ahead of UTC by what its rules say on that day", () => {
    expect(offset(at("2026-03-29T00:59:59Z"), OSLO)).toBe(HOUR);
    expect(offset(at("2026-03-29T01:00:00Z"), OSLO)).toBe(2 * HOUR);
    expect(offset(at("2026-03-29T01:00:00Z"), "UTC")).toBe(0);
    expect(offset(at("2026-04-04T12:00:00Z"), "Australia/Lord_Howe")).toBe(11 * HOUR);
  });

  it("is set within a span at the minute at which it is", () => {
    expect(clockChanges(at("2026-03-20T00:00:00Z"), at("2026-04-10T00:00:00Z"), OSLO)).toEqual([
      { at: at("2026-03-29T01:00:00Z"), by: HOUR },
    ]);
    expect(clockChanges(at("2026-10-20T00:00:00Z"), at("2026-10-30T00:00:00Z"), OSLO)).toEqual([
      { at: at("2026-10-25T01:00:00Z"), by: -HOUR },
    ]);
    expect(clockChanges(at("2026-05-01T00:00:00Z"), at("2026-06-01T00:00:00Z"), OSLO)).toEqual([]);
  });

  it("shows a time that comes twice at the first of them, and one that is left out never", () => {
    const day = { year: 2026, month: 10, day: 25, hour: 2, minute: 30 };
    expect(instantOf(day, OSLO)).toBe(at("2026-10-25T00:30:00Z"));
    expect(instantOf({ year: 2026, month: 3, day: 29, hour: 2, minute: 30 }, OSLO)).toBeNull();
  });

  it("is read out with day and time", () => {
    expect(clock(at("2026-03-29T01:00:00Z"), OSLO)).toBe("03:00");
    expect(dayAndClock(at("2026-03-29T01:00:00Z"), OSLO)).toBe("Sun 29 Mar, 03:00");
  });
});

describe("the reader's clock", () => {
  it("is only spoken of where it shows something else", () => {
    const noon = at("2026-05-01T12:00:00Z");
    expect(forReader(noon, OSLO, "Europe/Berlin")).toBeNull();
    expect(forReader(noon, OSLO, "Europe/London")).toBe("13:00");
  });

  it("says the day where that is another one", () => {
    const late = at("2026-05-01T21:30:00Z");
    expect(forReader(late, "Europe/London", "Asia/Tokyo")).toBe("Sat 06:30");
  });
});
