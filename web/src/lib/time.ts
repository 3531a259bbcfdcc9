/** Durations and instants as people read them. Pure; everything in seconds and UTC instants. */

/** This browser's own, UTC, or one by its name: `Europe/Oslo`. */
export type Zone = "local" | "utc" | (string & {});

const UNITS: [number, string][] = [
  [86_400, "d"],
  [3600, "h"],
  [60, "m"],
  [1, "s"],
];

/** `0.34` -> `340ms`, `4.2` -> `4.2s`, `64` -> `1m 04s`, `18720` -> `5h 12m`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  const left = Math.max(0, seconds);
  if (left < 0.0005) return "0ms";
  if (left < 0.9995) return `${Math.round(left * 1000)}ms`;
  if (left < 9.95) return `${left.toFixed(1).replace(/\.0$/, "")}s`;
  const whole = Math.round(left);
  const at = UNITS.findIndex(([size]) => whole >= size);
  const [size, name] = UNITS[at] ?? [1, "s"];
  const next = UNITS[at + 1];
  const first = `${Math.floor(whole / size)}${name}`;
  if (next === undefined) return first;
  const rest = Math.floor((whole % size) / next[0]);
  return `${first} ${String(rest).padStart(2, "0")}${next[1]}`;
}

/** Seconds from one instant to another; `until` null means now. */
export function between(since: string, until: string | null, now: number): number {
  return ((until === null ? now : Date.parse(until)) - Date.parse(since)) / 1000;
}

/** `3m ago`, `in 2h`, `just now`. */
export function relative(at: string, now: number): string {
  const seconds = (now - Date.parse(at)) / 1000;
  const size = Math.abs(seconds);
  if (size < 2) return "just now";
  const [unit, name] = UNITS.find(([unit]) => size >= unit) ?? [1, "s"];
  const words = `${Math.floor(size / unit)}${name}`;
  return seconds > 0 ? `${words} ago` : `in ${words}`;
}

const made = new Map<string, Intl.DateTimeFormat>();

function formatter(zone: Zone, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options);
  let found = made.get(key);
  if (found === undefined) {
    const where = zone === "local" ? {} : { timeZone: zoneName(zone) };
    found = new Intl.DateTimeFormat("en-GB", { ...options, ...where, hourCycle: "h23" });
    made.set(key, found);
  }
  return found;
}

const DAY = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;

/** `14:02:31` on the day of `now`, `26 Nov 14:02` within the year, else with the year. */
export function instant(at: string, zone: Zone, now: number): string {
  const date = new Date(at);
  const day = formatter(zone, DAY);
  if (day.format(date) === day.format(now)) return formatter(zone, CLOCK).format(date);
  const year = formatter(zone, { year: "numeric" });
  const same = year.format(date) === year.format(now);
  const words = formatter(zone, {
    day: "numeric",
    month: "short",
    ...(same ? {} : { year: "numeric" }),
    hour: "2-digit",
    minute: "2-digit",
  });
  return words.format(date).replace(",", "").replace(" at ", " ");
}

/** `26 Nov 14:00`, `26 Nov` of a whole day, which is one of UTC: the points of an axis, all alike. */
export function onAxis(at: string, zone: Zone, step: "hour" | "day"): string {
  const day = { day: "numeric", month: "short" } as const;
  if (step === "day") return formatter("utc", day).format(new Date(at));
  const words = formatter(zone, { ...day, hour: "2-digit", minute: "2-digit" });
  return words.format(new Date(at)).replace(",", "").replace(" at ", " ");
}

/** `2026-11-26 14:02:31`, to the second, with the zone's name behind it. */
export function exact(at: string, zone: Zone): string {
  const date = new Date(at);
  const day = formatter(zone, DAY).format(date).split("/").reverse().join("-");
  return `${day} ${formatter(zone, CLOCK).format(date)} ${zoneName(zone)}`;
}

/** The time of day alone, with milliseconds, for logs. */
export function clockTime(at: string, zone: Zone): string {
  return formatter(zone, { ...CLOCK, fractionalSecondDigits: 3 }).format(new Date(at));
}

/** `UTC`, `Europe/Oslo`; of "local" the name of the browser's own zone. */
export function zoneName(zone: Zone): string {
  if (zone === "utc") return "UTC";
  // By a formatter that is kept: each line of a log asks, and making one is what costs.
  return zone === "local" ? formatter("local", {}).resolvedOptions().timeZone || "UTC" : zone;
}

/** What stands behind a time: `UTC`, `Oslo`; nothing where it is the reader's own zone. */
export function zoneMark(zone: Zone): string {
  const name = zoneName(zone);
  if (zone === "local" || (zone !== "utc" && name === zoneName("local"))) return "";
  return name.slice(name.lastIndexOf("/") + 1).replaceAll("_", " ");
}

/** Whole numbers with thin groups: `12 345`. */
export function number(value: number): string {
  return value.toLocaleString("en-GB").replaceAll(",", "\u202f");
}

/** `2.4 %`, `0 %`, `100 %`: a share. What is not all never reads as all, nor what is some as none. */
export function percent(share: number | null): string {
  if (share === null) return "–";
  if (share <= 0 || share >= 1) return share <= 0 ? "0 %" : "100 %";
  return `${Math.min(99.9, Math.max(0.1, share * 100)).toFixed(1)} %`;
}

/** `1.2 MB`, for sizes in bytes. */
export function bytes(size: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  let left = size;
  while (left >= 1000 && at < units.length - 1) {
    left /= 1000;
    at += 1;
  }
  return `${left >= 100 || at === 0 ? Math.round(left) : left.toFixed(1)} ${units[at]}`;
}
