/** Clocks of time zones: what they show, when they are set, where their days begin. Pure. */

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export interface Wall {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
  hour: number;
  minute: number;
}

const made = new Map<string, Intl.DateTimeFormat>();

function formatter(zone: string): Intl.DateTimeFormat {
  let found = made.get(zone);
  if (found === undefined) {
    found = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
      hourCycle: "h23",
    });
    made.set(zone, found);
  }
  return found;
}

/** The zone of this browser. */
export function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/** By how much a zone's clock is ahead of UTC at an instant, in milliseconds. */
export function offset(at: number, zone: string): number {
  if (zone === "UTC") return 0;
  const part: Record<string, number> = {};
  for (const one of formatter(zone).formatToParts(at)) part[one.type] = Number(one.value);
  const shown = Date.UTC(
    part.year ?? 0,
    (part.month ?? 1) - 1,
    part.day ?? 1,
    part.hour ?? 0,
    part.minute ?? 0,
    part.second ?? 0,
  );
  return shown - Math.floor(at / 1000) * 1000;
}

/** What the clock shows. */
export function wall(at: number, zone: string): Wall {
  const shown = new Date(at + offset(at, zone));
  return {
    year: shown.getUTCFullYear(),
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
    hour: shown.getUTCHours(),
    minute: shown.getUTCMinutes(),
  };
}

/** The first instant at which the clock shows this; null where it never does. */
export function instantOf(shown: Wall, zone: string): number | null {
  const asUtc = Date.UTC(shown.year, shown.month - 1, shown.day, shown.hour, shown.minute);
  const tries = new Set(
    [asUtc - DAY, asUtc, asUtc + DAY].map((near) => asUtc - offset(near, zone)),
  );
  const hits = [...tries].filter((at) => at + offset(at, zone) === asUtc);
  return hits.length === 0 ? null : Math.min(...hits);
}

export interface ClockChange {
  at: number;
  /** Milliseconds; positive where the clock goes forward. */
  by: number;
}

/** When a zone's clock is set within (begin, end]. */
export function clockChanges(begin: number, end: number, zone: string): ClockChange[] {
  const found: ClockChange[] = [];
  let before = offset(begin, zone);
  for (let at = begin; at < end; ) {
    const next = Math.min(at + 7 * DAY, end);
    const after = offset(next, zone);
    if (after !== before) found.push({ at: bisected(at, next, before, zone), by: after - before });
    before = after;
    at = next;
  }
  return found;
}

function bisected(low: number, high: number, before: number, zone: string): number {
  let [left, right] = [Math.floor(low / MINUTE), Math.ceil(high / MINUTE)];
  while (right - left > 1) {
    const middle = Math.floor((left + right) / 2);
    if (offset(middle * MINUTE, zone) === before) left = middle;
    else right = middle;
  }
  return right * MINUTE;
}

const two = (value: number) => String(value).padStart(2, "0");

/** `03:00`. */
export function clock(at: number, zone: string): string {
  const shown = wall(at, zone);
  return `${two(shown.hour)}:${two(shown.minute)}`;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const DAYS = "Sun Mon Tue Wed Thu Fri Sat".split(" ");

/** `Sun 29 Mar`. */
export function dayWords(at: number, zone: string): string {
  const shown = wall(at, zone);
  const weekday = new Date(Date.UTC(shown.year, shown.month - 1, shown.day)).getUTCDay();
  return `${DAYS[weekday]} ${shown.day} ${MONTHS[shown.month - 1]}`;
}

/** `Sun 29 Mar, 03:00`. */
export function dayAndClock(at: number, zone: string): string {
  return `${dayWords(at, zone)}, ${clock(at, zone)}`;
}

/**
 * What the reader's own clock shows then: `03:00`, `Mon 03:00` where it is another day there,
 * and null where both clocks show the same.
 */
export function forReader(at: number, zone: string, own: string): string | null {
  if (offset(at, zone) === offset(at, own)) return null;
  const [there, here] = [wall(at, zone), wall(at, own)];
  const day = there.day === here.day ? "" : `${dayWords(at, own).slice(0, 3)} `;
  return day + clock(at, own);
}
