import { describe, expect, it } from "vitest";
import { LENGTH, labels, moved, spanOf, ticks, toTime, toX, ZOOMS } from "./scale";
import { DAY, HOUR } from "./zones";

const NOW = Date.parse("2026-11-26T12:00:00Z");
const scale = (begin: string, hours: number, width: number) => {
  const from = Date.parse(begin);
  return { begin: from, end: from + hours * HOUR, width };
};

describe("the span of a strip", () => {
  it("is two thirds past and one third future", () => {
    const span = spanOf("21d", NOW);
    expect((NOW - span.begin) / DAY).toBeCloseTo(14, 1);
    expect((span.end - NOW) / DAY).toBeCloseTo(7, 1);
  });

  it("stays the same for a while, so that it is not fetched each second", () => {
    for (const zoom of ZOOMS) {
      const [one, other] = [spanOf(zoom, NOW), spanOf(zoom, NOW + 1000)];
      expect(one.end - one.begin).toBe(LENGTH[zoom]);
      expect([0, Math.max(60_000, LENGTH[zoom] / 400)]).toContain(other.begin - one.begin);
    }
  });

  it("moves by parts of itself", () => {
    const span = spanOf("1d", NOW);
    expect(moved(span, -0.5)).toEqual({ begin: span.begin - DAY / 2, end: span.end - DAY / 2 });
  });

  it("is the same there and back", () => {
    const one = scale("2026-11-26T00:00:00Z", 24, 480);
    expect(toX(one, toTime(one, 123))).toBeCloseTo(123);
  });
});

describe("ticks", () => {
  it("are whole hours of the zone's own clock, days strong", () => {
    const found = ticks(scale("2026-11-26T00:00:00Z", 24, 600), "Asia/Kolkata");
    expect(found.map((one) => one.text)).toEqual([
      "06:00",
      "08:00",
      "10:00",
      "12:00",
      "14:00",
      "16:00",
      "18:00",
      "20:00",
      "22:00",
      "Fri 27 Nov",
      "02:00",
      "04:00",
    ]);
    expect(found.filter((one) => one.strong).map((one) => one.text)).toEqual(["Fri 27 Nov"]);
  });

  it("leave out an hour that the clock leaves out", () => {
    const found = ticks(scale("2026-03-28T23:00:00Z", 6, 300), "Europe/Oslo");
    expect(found.map((one) => one.text)).toEqual([
      "Sun 29 Mar",
      "01:00",
      "03:00",
      "04:00",
      "05:00",
      "06:00",
      "07:00",
    ]);
    const gaps = found.slice(1).map((one, index) => one.at - (found[index]?.at ?? 0));
    expect(new Set(gaps)).toEqual(new Set([HOUR]));
  });

  it("are days over weeks, the day of a clock change being 23 hours long", () => {
    const found = ticks(scale("2026-03-26T00:00:00Z", 24 * 7, 420), "Europe/Oslo");
    const gaps = found.slice(1).map((one, index) => (one.at - (found[index]?.at ?? 0)) / HOUR);
    expect(gaps).toEqual([24, 24, 23, 24, 24, 24].slice(0, gaps.length));
  });

  it("have room for their words", () => {
    for (const zoom of ZOOMS) {
      const span = { ...spanOf(zoom, NOW), width: 700 };
      const said = ticks(span, "UTC").filter((one) => one.text !== "");
      const places = said.map((one) => toX(span, one.at));
      const gaps = places.slice(1).map((x, index) => x - (places[index] ?? 0));
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(43);
      expect(places.length).toBeGreaterThan(2);
    }
  });
});

describe("the words of the axis", () => {
  const phone = scale("2026-11-13T13:42:00Z", 21 * 24, 310);
  const x = toX(phone, Date.parse("2026-11-27T13:42:00Z"));
  const now = { from: x - 20, to: x + 20 };
  const texts = (one: typeof phone, taken = [now]) =>
    labels(one, ticks(one, "UTC"), taken).map(({ text }) => text);

  it("are fewer of a day where now or the edge is near", () => {
    expect(texts(phone)).toEqual(["Mon 16 Nov", "23", "30 Nov"]);
  });

  it("name a month that the tick before did not", () => {
    const [begin, end] = ["2026-09-28T00:00:00Z", "2026-12-27T00:00:00Z"].map(Date.parse);
    const long = { begin: begin ?? 0, end: end ?? 0, width: 310 };
    expect(ticks(long, "UTC").map(({ text }) => text)).toContain("Mon 21 Dec");
    expect(texts(long, [])).not.toContain("21");
  });

  it("are all there where there is room", () => {
    expect(texts({ ...phone, width: 700 }, [])).toEqual(["Mon 16 Nov", "Mon 23 Nov", "Mon 30 Nov"]);
  });

  it("are none where something else is written", () => {
    expect(texts(phone, [{ from: 0, to: 310 }])).toEqual([]);
  });

  it("of an hour are whole or left out", () => {
    const hours = scale("2026-11-27T09:42:00Z", 6, 310);
    expect(texts(hours, [])).toEqual(["10:00", "11:00", "12:00", "13:00", "14:00", "15:00"]);
    expect(texts({ ...hours, width: 300 }, [])).not.toContain("15:00");
  });

  it("never run into each other", () => {
    for (const zoom of ZOOMS) {
      for (let width = 200; width < 1500; width += 7) {
        const one = { ...spanOf(zoom, NOW), width };
        const found = labels(one, ticks(one, "UTC"), []);
        found.forEach((label, at) => {
          const end = found[at + 1]?.x ?? width;
          expect(label.x + label.text.length * 6).toBeLessThanOrEqual(end);
        });
      }
    }
  });
});
