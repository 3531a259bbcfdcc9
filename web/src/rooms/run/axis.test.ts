import { describe, expect, it } from "vitest";
import { axisOf, type Stretch, ticksOf } from "./axis";

const second = 1000;
const hour = 3600 * second;
const busy = (from: number, until: number): Stretch => ({ from, until, idle: false });
const idle = (from: number, until: number): Stretch => ({ from, until, idle: true });

describe("the axis of a timeline", () => {
  it("is even where nothing is folded", () => {
    const axis = axisOf([busy(0, 100)], 0, 100);
    expect([0, 25, 100].map(axis.place)).toEqual([0, 0.25, 1]);
  });

  it("folds a long sleep, so that the work on both sides can be seen", () => {
    const axis = axisOf([busy(0, 10 * second), idle(10 * second, 5 * hour)], 0, 5 * hour + 10_000);
    const [before, asleep, after] = axis.pieces;
    expect([before?.folded, asleep?.folded, after?.folded]).toEqual([false, true, false]);
    expect((asleep?.end ?? 0) - (asleep?.begin ?? 0)).toBeCloseTo(0.06);
    expect(axis.place(10 * second)).toBeCloseTo(0.47);
    expect(axis.place(5 * hour)).toBeCloseTo(0.53);
  });

  it("keeps a short wait as it is", () => {
    const axis = axisOf([busy(0, 60 * second), idle(60 * second, 70 * second)], 0, 70 * second);
    expect(axis.pieces.some((one) => one.folded)).toBe(false);
  });

  it("never runs backwards, and stays within 0 and 1", () => {
    const axis = axisOf([idle(0, 9 * hour), busy(9 * hour, 9 * hour + 500)], 0, 10 * hour);
    const places = Array.from({ length: 50 }, (_, at) => axis.place((at * hour) / 4));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect([axis.place(-1), axis.place(99 * hour)]).toEqual([0, 1]);
  });

  it("has round ticks, none of them in a fold", () => {
    const axis = axisOf([busy(0, 30 * second), idle(30 * second, 5 * hour)], 0, 5 * hour + 30_000);
    const ticks = ticksOf(axis);
    expect(ticks[0]).toBe(0);
    expect(ticks.every((at) => at <= 30 || at >= 5 * 3600)).toBe(true);
    expect(ticksOf(axisOf([busy(0, 12 * second)], 0, 12 * second))).toEqual([0, 2, 4, 6, 8, 10]);
  });
});
