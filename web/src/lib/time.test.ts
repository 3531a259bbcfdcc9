import { describe, expect, it } from "vitest";
import { bytes, duration, exact, instant, onAxis, percent, relative, zoneMark } from "./time";

describe("a duration", () => {
  it.each([
    [0, "0ms"],
    [0.0342, "34ms"],
    [0.9996, "1s"],
    [1, "1s"],
    [4.23, "4.2s"],
    [9.96, "10s"],
    [59.6, "1m 00s"],
    [64, "1m 04s"],
    [3599.7, "1h 00m"],
    [18_720, "5h 12m"],
    [90_000, "1d 01h"],
    [-3, "0ms"],
    [Number.NaN, "–"],
  ])("of %s seconds is shown as %s", (seconds, shown) => {
    expect(duration(seconds)).toBe(shown);
  });
});

describe("an instant", () => {
  const now = Date.parse("2026-11-26T19:00:00Z");

  it("is a time on the same day, and a date before", () => {
    expect(instant("2026-11-26T14:02:31Z", "utc", now)).toBe("14:02:31");
    expect(instant("2026-11-03T14:02:31Z", "utc", now)).toBe("3 Nov 14:02");
    expect(instant("2025-11-03T14:02:31Z", "utc", now)).toBe("3 Nov 2025 14:02");
  });

  it("is exact to the second with its zone", () => {
    expect(exact("2026-11-26T14:02:31.9Z", "utc")).toBe("2026-11-26 14:02:31 UTC");
  });

  it("is told in any zone by its name, with a mark where that is not the reader's own", () => {
    expect(instant("2026-11-26T14:02:31Z", "Asia/Tokyo", now)).toBe("26 Nov 23:02");
    expect(exact("2026-11-26T14:02:31Z", "America/New_York")).toBe(
      "2026-11-26 09:02:31 America/New_York",
    );
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    expect(["utc", "America/New_York", "local", own].map(zoneMark).slice(0, 3)).toEqual([
      "UTC",
      "New York",
      "",
    ]);
    expect(zoneMark(own)).toBe("");
  });

  it("reads alike along an axis, today too; a whole day is one of UTC", () => {
    const midnight = "2026-11-26T00:00:00Z";
    expect(onAxis(midnight, "utc", "hour")).toBe("26 Nov 00:00");
    expect(onAxis(midnight, "America/New_York", "hour")).toBe("25 Nov 19:00");
    expect(onAxis(midnight, "America/New_York", "day")).toBe("26 Nov");
  });

  it("is so long ago, or comes so soon", () => {
    expect(relative("2026-11-26T18:57:00Z", now)).toBe("3m ago");
    expect(relative("2026-11-26T21:00:00Z", now)).toBe("in 2h");
    expect(relative("2026-11-26T18:59:59Z", now)).toBe("just now");
  });
});

it("shows sizes in the unit that fits", () => {
  expect([bytes(0), bytes(999), bytes(1234), bytes(250_000_000)]).toEqual([
    "0 B",
    "999 B",
    "1.2 kB",
    "250 MB",
  ]);
});

it("never shows some as none, nor what is not all as all", () => {
  expect([0, 1, null].map(percent)).toEqual(["0 %", "100 %", "–"]);
  expect([0.00001, 0.024, 0.5, 0.99999].map(percent)).toEqual([
    "0.1 %",
    "2.4 %",
    "50.0 %",
    "99.9 %",
  ]);
});
