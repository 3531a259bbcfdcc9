/** A schedule as a form, and as the API has it. Pure. */

export type Kind = "cron" | "interval" | "once";

export interface Form {
  kind: Kind;
  expression: string;
  timezone: string;
  /** Of an interval. */
  every: number;
  unit: "seconds" | "minutes" | "hours" | "days";
  anchor: string;
  /** Of a single shot: an instant in ISO. */
  at: string;
  overlap: string;
  misfire: string;
  start: string;
  end: string;
  /** Seconds. */
  jitter: number;
  exclude: string[];
}

export type Spec = Record<string, unknown>;

const SIZES = { days: 86_400, hours: 3600, minutes: 60, seconds: 1 } as const;

export const FRESH: Form = {
  kind: "cron",
  expression: "30 7 * * MON-FRI",
  timezone: "UTC",
  every: 15,
  unit: "minutes",
  anchor: "",
  at: "",
  overlap: "skip",
  misfire: "latest",
  start: "",
  end: "",
  jitter: 0,
  exclude: [],
};

const text = (value: unknown, otherwise: string) => (typeof value === "string" ? value : otherwise);
const whole = (value: unknown) => (typeof value === "number" ? value : 0);

export function formOf(spec: Spec): Form {
  const kinds: Kind[] = ["cron", "interval", "once"];
  const seconds = whole(spec.seconds);
  const unit = unitOf(seconds);
  return {
    kind: kinds.find((one) => one === spec.kind) ?? "cron",
    expression: text(spec.expression, FRESH.expression),
    timezone: text(spec.timezone, FRESH.timezone),
    every: seconds === 0 ? FRESH.every : seconds / SIZES[unit],
    unit: seconds === 0 ? FRESH.unit : unit,
    anchor: text(spec.anchor, ""),
    at: text(spec.at, ""),
    overlap: text(spec.overlap, FRESH.overlap),
    misfire: text(spec.misfire, FRESH.misfire),
    start: text(spec.start, ""),
    end: text(spec.end, ""),
    jitter: whole(spec.jitter),
    exclude: Array.isArray(spec.exclude) ? spec.exclude.map(String) : [],
  };
}

function unitOf(seconds: number): Form["unit"] {
  const units = Object.entries(SIZES) as [Form["unit"], number][];
  return units.find(([, size]) => seconds % size === 0)?.[0] ?? "seconds";
}

export function specOf(form: Form): Spec {
  return {
    kind: form.kind,
    ...own(form),
    overlap: form.overlap,
    misfire: form.misfire,
    ...(form.start === "" ? {} : { start: form.start }),
    ...(form.end === "" ? {} : { end: form.end }),
    ...(form.jitter === 0 ? {} : { jitter: form.jitter }),
    ...(form.exclude.length === 0 ? {} : { exclude: form.exclude }),
  };
}

function own(form: Form): Spec {
  if (form.kind === "cron") return { expression: form.expression.trim(), timezone: form.timezone };
  if (form.kind === "once") return { at: form.at };
  const seconds = form.every * SIZES[form.unit];
  return { seconds, ...(form.anchor === "" ? {} : { anchor: form.anchor }) };
}

/** Options of the command line that say the same. */
export function cliOf(form: Form): string[] {
  const quoted = (value: string) => (/^[\w:./+-]+$/.test(value) ? value : `"${value}"`);
  const when = {
    cron: ["--cron", quoted(form.expression.trim()), "--timezone", quoted(form.timezone)],
    interval: ["--every", String(form.every * SIZES[form.unit])],
    once: ["--once", quoted(form.at)],
  }[form.kind];
  return [
    ...when,
    ...["--overlap", form.overlap, "--misfire", form.misfire],
    ...(form.start === "" ? [] : ["--start", quoted(form.start)]),
    ...(form.end === "" ? [] : ["--end", quoted(form.end)]),
    ...(form.jitter === 0 ? [] : ["--jitter", String(form.jitter)]),
    ...form.exclude.flatMap((one) => ["--exclude", quoted(one)]),
  ];
}
