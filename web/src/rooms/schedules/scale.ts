/** The horizontal axis of the strips: spans, zoom, ticks. Instants in milliseconds. Pure. */

import { clock, DAY, dayWords, HOUR, instantOf, MINUTE, wall } from "./zones";

export const ZOOMS = ["6h", "1d", "3d", "7d", "21d", "90d"] as const;
export type Zoom = (typeof ZOOMS)[number];

export const LENGTH: Record<Zoom, number> = {
  "6h": 6 * HOUR,
  "1d": DAY,
  "3d": 3 * DAY,
  "7d": 7 * DAY,
  "21d": 21 * DAY,
  "90d": 90 * DAY,
};

/** So much of a strip is past, where it follows the present: 14 of 21 days. */
const PAST = 2 / 3;

export interface Span {
  begin: number;
  end: number;
}

/**
 * What a strip shows: two thirds past and one third future, or what begins at `from`.
 * It moves on in steps of a four-hundredth, so that it need not be fetched for each second.
 */
export function spanOf(zoom: Zoom, now: number, from: number | null = null): Span {
  const length = LENGTH[zoom];
  const step = Math.max(MINUTE, length / 400);
  const begin = Math.floor((from ?? now - PAST * length) / step) * step;
  return { begin, end: begin + length };
}

/** Half a span earlier or later. */
export function moved(span: Span, by: number): Span {
  const shift = by * (span.end - span.begin);
  return { begin: span.begin + shift, end: span.end + shift };
}

export interface Scale extends Span {
  /** Pixels. */
  width: number;
}

export function toX(scale: Scale, at: number): number {
  return ((at - scale.begin) / (scale.end - scale.begin)) * scale.width;
}

export function toTime(scale: Scale, x: number): number {
  return scale.begin + (x / Math.max(1, scale.width)) * (scale.end - scale.begin);
}

export interface Tick {
  at: number;
  text: string;
  /** Begins a day, where there are several ticks a day; a week or month otherwise. */
  strong: boolean;
}

/** What stands on the axis already, in pixels. */
export interface Taken {
  from: number;
  to: number;
}

export interface Label {
  at: number;
  x: number;
  text: string;
  strong: boolean;
}

/**
 * The words of the ticks. Of a day as much as there is room for, up to the next tick, the
 * edge, or what is written there already: `Mon 30 Nov`, `30 Nov`, or nothing; `30` alone
 * where the tick before it is of the same month.
 */
export function labels(scale: Scale, marks: readonly Tick[], taken: readonly Taken[]): Label[] {
  const said = marks.filter((tick) => tick.text !== "");
  return said.flatMap((tick, index) => {
    const x = toX(scale, tick.at);
    if (taken.some((one) => one.from <= x && x < one.to)) return [];
    const after = said[index + 1];
    const ends = taken.filter((one) => one.from > x).map((one) => one.from);
    const room = Math.min(scale.width, after ? toX(scale, after.at) : scale.width, ...ends) - x;
    const text = forms(tick.text, said[index - 1]?.text).find(
      (one) => widthOf(one, tick.strong) <= room,
    );
    return text === undefined ? [] : [{ at: tick.at, x, text, strong: tick.strong }];
  });
}

/** A day in fewer and fewer words; an hour has only one form. */
function forms(text: string, before = ""): string[] {
  const [, day, month] = text.split(" ");
  if (day === undefined || month === undefined) return [text];
  return [text, `${day} ${month}`, ...(before.endsWith(` ${month}`) ? [day] : [])];
}

/** Pixels of a word on the axis, in the widest font that a system has (DejaVu, 11 pixels). */
function widthOf(text: string, bold: boolean): number {
  const letters = [...text].reduce((sum, one) => sum + letterOf(one), 0);
  return letters * (bold ? 1.1 : 1) + 4;
}

function letterOf(one: string): number {
  if (one === " " || one === ":") return 3.5;
  return one >= "0" && one <= "9" ? 7 : 7.7;
}

/** Hours between ticks; what is a day or more are days. */
const STEPS = [0.25, 0.5, 1, 2, 3, 6, 12, 24, 48, 24 * 7, 24 * 14];
const ROOM = { hours: 44, days: 74 };

/** Where the axis is marked: whole hours or days of the zone's own clock. */
export function ticks(scale: Scale, zone: string): Tick[] {
  const perHour = (scale.width / (scale.end - scale.begin)) * HOUR;
  const fits = (step: number) => step * perHour >= (step < 24 ? ROOM.hours : ROOM.days);
  const step = STEPS.find(fits) ?? 24 * 28;
  if (step < 24) return hourTicks(scale, zone, step);
  // Weeks have a rhythm: their days are marked too where there is room, without words.
  const days = step > 24 && 24 * perHour >= 7 ? dayTicks(scale, zone, 1) : [];
  const said = dayTicks(scale, zone, step / 24);
  const silent = days
    .filter((day) => !said.some((one) => one.at === day.at))
    .map((day) => ({ ...day, text: "", strong: false }));
  return [...silent, ...said].sort((a, b) => a.at - b.at);
}

function days(scale: Span, zone: string): { year: number; month: number; day: number }[] {
  const found = [];
  const first = wall(scale.begin, zone);
  for (let at = Date.UTC(first.year, first.month - 1, first.day); ; at += DAY) {
    const date = new Date(at);
    found.push({
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
    });
    if (at > scale.end + DAY) return found;
  }
}

function hourTicks(scale: Scale, zone: string, step: number): Tick[] {
  const found: Tick[] = [];
  for (const day of days(scale, zone)) {
    for (let hour = 0; hour < 24; hour += step) {
      const minute = (hour % 1) * 60;
      const at = instantOf({ ...day, hour: Math.floor(hour), minute }, zone);
      if (at === null || at < scale.begin || at > scale.end) continue;
      const text = hour === 0 ? dayWords(at, zone) : clock(at, zone);
      found.push({ at, text, strong: hour === 0 });
    }
  }
  return found;
}

function dayTicks(scale: Scale, zone: string, step: number): Tick[] {
  const found: Tick[] = [];
  for (const day of days(scale, zone)) {
    const number = Math.round(Date.UTC(day.year, day.month - 1, day.day) / DAY);
    // Day 4 of 1970 was a Monday, so weeks begin on Mondays.
    if ((number - 4) % step !== 0) continue;
    const at = midnight(day, zone);
    if (at < scale.begin || at > scale.end) continue;
    const monday = (number - 4) % 7 === 0;
    found.push({ at, text: dayWords(at, zone), strong: step <= 2 ? monday : true });
  }
  return found;
}

/** Where a zone's clock leaves midnight out, the day begins an hour later. */
function midnight(day: { year: number; month: number; day: number }, zone: string): number {
  const at = instantOf({ ...day, hour: 0, minute: 0 }, zone);
  return at ?? instantOf({ ...day, hour: 1, minute: 0 }, zone) ?? Number.NaN;
}
