/** What is drawn of one schedule: marks, bands and cells, by where they lie. Pure. */

import type { Schemas } from "@/api/client";
import { type Scale, type Span, toX } from "./scale";
import { HOUR } from "./zones";

export type Lane = Schemas["Lane"];
export type Mark = Lane["past"][number];

export const OUTCOMES = [
  "failed",
  "blocked",
  "missed",
  "cancelled",
  "skipped",
  "paused",
  "queued",
  "cancelling",
  "waiting",
  "starting",
  "running",
  "coming",
  "succeeded",
  "ran",
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What somebody should look at. */
export const BAD: ReadonlySet<Outcome> = new Set(["failed", "blocked", "missed"]);

export interface Item {
  key: string;
  /** One instant, a stretch of one fate, several instants in one place, or one to come. */
  kind: "mark" | "band" | "cell" | "coming";
  outcome: Outcome;
  late: boolean;
  count: number;
  outcomes: Partial<Record<Outcome, number>>;
  /** First and last due instant. */
  first: number;
  last: number;
  /** When it began, where it has. */
  started: number | null;
  /** Seconds. */
  delay: number | null;
  duration: number | null;
  why: string | null;
  runId: string | null;
  /** How many of its instants a backfill made up for. */
  madeUp: number;
  /** Pixels. Of one to come `reach` is where it ends if it takes long (p95). */
  left: number;
  right: number;
  reach: number;
}

/** Marks nearer than this cannot be told apart: their row is counted in cells. */
const NEAR = 7;
/** How long such a cell may be, and how wide it is at least. */
const CELLS = [1, 3, 6, 12, 24, 24 * 7].map((hours) => hours * HOUR);
const CELL_WIDTH = 12;
/** No mark is narrower. */
const NARROWEST = 5;

export function outcomeOf(word: string): Outcome {
  return OUTCOMES.find((one) => one === word) ?? "ran";
}

/** The worst of several; what is listed first is worse. */
export function worst(outcomes: Iterable<Outcome>): Outcome {
  const found = new Set(outcomes);
  return OUTCOMES.find((one) => found.has(one)) ?? "ran";
}

/** When it runs next, for a pause and what is skipped take instants; null: not in what is shown. */
export function nextRun(lane: Lane): string | null {
  const { next_due: due, paused_at: paused, paused_until: until, future } = lane;
  if (due === null || (paused !== null && until === null)) return null;
  // Where the strip shows another time, what it lists does not begin with what is due next.
  const listed = future[0] !== undefined && Date.parse(future[0].at) === Date.parse(due);
  if (!listed) return paused === null ? due : null;
  return future.find((one) => one.skipped === null)?.at ?? null;
}

/** What became of past instants, from left to right. */
export function pastItems(lane: Lane, scale: Scale, now = scale.end): Item[] {
  const made = madeUpAt(lane);
  const marks = lane.past.map((mark) => markItem(mark, scale, made));
  const past = { ...scale, end: now };
  const cells = lane.past_cells.map((cell) => cellItem(cell, scale, past));
  return [...binned(marks, scale, past), ...cells].sort((a, b) => a.left - b.left);
}

/** What is to come, from left to right. */
export function futureItems(lane: Lane, scale: Scale, now = scale.begin): Item[] {
  const { p50, p95 } = lane.observed;
  const coming = lane.future.map((one) => {
    const first = Date.parse(one.at);
    const left = toX(scale, first);
    const right = Math.max(left + NARROWEST, toX(scale, first + (p50 ?? 0) * 1000));
    const outcome: Outcome = one.skipped === null ? "coming" : comingSkipped(one.skipped);
    return {
      ...blank(`f${one.at}`, "coming", outcome, first),
      why: one.skipped,
      left,
      right,
      reach: Math.max(right, toX(scale, first + (p95 ?? 0) * 1000)),
    };
  });
  const future = { ...scale, begin: now };
  const cells = lane.future_cells.map((cell) => cellItem(cell, scale, future));
  return [...bands(binned(coming, scale, future)), ...cells];
}

/** Where fires are to come that the server does not list: it stops at so many. */
export function unlisted(lane: Lane, items: readonly Item[], scale: Scale): Span | null {
  const begin = Math.max(0, ...items.map((item) => item.right));
  return lane.truncated && begin < scale.width ? { begin, end: scale.width } : null;
}

function comingSkipped(why: string): Outcome {
  return why === "paused" ? "paused" : "skipped";
}

function blank(key: string, kind: Item["kind"], outcome: Outcome, first: number): Item {
  return {
    key,
    kind,
    outcome,
    late: false,
    count: 1,
    outcomes: { [outcome]: 1 },
    first,
    last: first,
    started: null,
    delay: null,
    duration: null,
    why: null,
    runId: null,
    madeUp: 0,
    left: 0,
    right: 0,
    reach: 0,
  };
}

/** Instants that backfills have run, in order. */
function madeUpAt(lane: Lane): number[] {
  return lane.made_up
    .filter((one) => one.outcome !== "planned")
    .map((one) => Date.parse(one.due_at));
}

function markItem(mark: Mark, scale: Scale, made: readonly number[]): Item {
  const [first, last] = [Date.parse(mark.first_due), Date.parse(mark.last_due)];
  const outcome = outcomeOf(mark.outcome);
  const started = mark.delay === null ? null : first + mark.delay * 1000;
  const begins = toX(scale, started ?? first);
  const ends =
    mark.duration === null ? begins : toX(scale, (started ?? first) + mark.duration * 1000);
  const several = mark.count > 1;
  return {
    ...blank(`p${mark.first_due}`, several ? "band" : "mark", outcome, first),
    late: mark.late,
    count: mark.count,
    outcomes: { [outcome]: mark.count },
    last,
    started,
    delay: mark.delay,
    duration: mark.duration,
    why: mark.why,
    runId: mark.run_id,
    madeUp: made.filter((at) => at >= first && at <= last).length,
    left: several ? toX(scale, first) : begins,
    right: several
      ? Math.max(toX(scale, last), toX(scale, first) + NARROWEST)
      : Math.max(begins + NARROWEST, ends),
  };
}

function cellItem(cell: Lane["past_cells"][number], scale: Scale, within: Span): Item {
  const begin = Date.parse(cell.begin);
  const length = cellLength(scale);
  const outcomes = Object.fromEntries(
    Object.entries(cell.outcomes).map(([name, count]) => [outcomeOf(name), count]),
  );
  return {
    ...blank(`c${cell.begin}`, "cell", outcomeOf(cell.worst), begin),
    count: cell.count,
    outcomes,
    last: begin + length,
    ...extent(begin, begin + length, scale, within),
  };
}

/** From where to where a cell is drawn: the one of today ends or begins now. */
function extent(begin: number, end: number, scale: Scale, within: Span) {
  const left = Math.max(0, toX(scale, Math.max(begin, within.begin)));
  const right = Math.min(scale.width, toX(scale, Math.min(end, within.end)));
  return { left, right: Math.max(right, left + 2) };
}

/** As the server counts: by the hour up to eight days, then by the day. */
function cellLength(scale: Scale): number {
  return scale.end - scale.begin <= 8 * 24 * HOUR ? HOUR : 24 * HOUR;
}

/** The same, or where too many lie too near to each other, counted in cells of one length. */
export function binned(items: readonly Item[], scale: Scale, within: Span = scale): Item[] {
  const marks = items.filter((one) => one.kind !== "band");
  const gaps = marks
    .slice(1)
    .map((one, at) => toX(scale, one.first) - toX(scale, (marks[at] as Item).first));
  const near = gaps.filter((gap) => gap < NEAR).length;
  if (near === 0 || near < gaps.length / 4) return [...items];
  const length = CELLS.find((one) => wide(one, scale)) ?? 24 * 7 * HOUR;
  const bins = new Map<number, Item[]>();
  for (const one of marks) {
    const bin = Math.floor(one.first / length);
    bins.set(bin, [...(bins.get(bin) ?? []), one]);
  }
  const cells = [...bins].map(([bin, mine]) => ({
    ...together(mine),
    ...extent(bin * length, (bin + 1) * length, scale, within),
  }));
  const others = items.filter((one) => one.kind === "band");
  return [...others, ...cells].sort((a, b) => a.first - b.first);
}

function wide(length: number, scale: Scale): boolean {
  return (length / (scale.end - scale.begin)) * scale.width >= CELL_WIDTH;
}

function together(items: readonly Item[]): Item {
  const first = items[0] as Item;
  const last = items[items.length - 1] as Item;
  const outcomes: Partial<Record<Outcome, number>> = {};
  for (const one of items) {
    for (const [name, count] of Object.entries(one.outcomes)) {
      const outcome = name as Outcome;
      outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
    }
  }
  return {
    ...first,
    key: `b${first.key}`,
    kind: "cell",
    outcome: worst(Object.keys(outcomes) as Outcome[]),
    late: items.some((one) => one.late),
    count: items.reduce((sum, one) => sum + one.count, 0),
    outcomes,
    last: last.last,
    why: null,
    runId: null,
    started: null,
    delay: null,
    duration: null,
    madeUp: items.reduce((sum, one) => sum + one.madeUp, 0),
  };
}

/** Neighbours that are paused, as one band: a pause is one thing, not many. */
function bands(items: readonly Item[]): Item[] {
  const found: Item[] = [];
  for (const one of items) {
    const before = found[found.length - 1];
    if (one.outcome === "paused" && before?.outcome === "paused") {
      before.kind = "band";
      before.count += one.count;
      before.outcomes = { paused: before.count };
      before.last = one.last;
      before.right = one.right;
    } else {
      found.push({ ...one });
    }
  }
  return found;
}

/** The item that a pointer at `x` means: the nearest one within `reach` pixels. */
export function nearest(items: readonly Item[], x: number, reach = 12): Item | null {
  let found: Item | null = null;
  let distance = reach;
  for (const one of items) {
    const away = x < one.left ? one.left - x : x > one.right ? x - one.right : 0;
    if (away < distance || (away === 0 && found === null)) {
      found = one;
      distance = away;
    }
  }
  return found;
}

export interface Tally {
  total: number;
  good: number;
  late: number;
  bad: { outcome: Outcome; count: number }[];
  other: { outcome: Outcome; count: number }[];
}

/** How the past of a lane went, by outcome, the worst first. */
export function tally(lane: Lane): Tally {
  const counts = new Map<Outcome, number>();
  const add = (word: string, count: number) => {
    const outcome = outcomeOf(word);
    counts.set(outcome, (counts.get(outcome) ?? 0) + count);
  };
  for (const mark of lane.past) add(mark.outcome, mark.count);
  for (const cell of lane.past_cells) {
    for (const [word, count] of Object.entries(cell.outcomes)) add(word, count);
  }
  const rows = OUTCOMES.map((outcome) => ({ outcome, count: counts.get(outcome) ?? 0 }));
  const there = rows.filter((one) => one.count > 0);
  const good = new Set<Outcome>(["succeeded", "ran"]);
  return {
    total: there.reduce((sum, one) => sum + one.count, 0),
    good: there.filter((one) => good.has(one.outcome)).reduce((sum, one) => sum + one.count, 0),
    late: lane.past.filter((one) => one.late).length,
    bad: there.filter((one) => BAD.has(one.outcome)),
    other: there.filter((one) => !BAD.has(one.outcome) && !good.has(one.outcome)),
  };
}

/** How the newest past instant went; null where there is none. */
export function latest(lane: Lane): Outcome | null {
  const mark = lane.past[lane.past.length - 1];
  if (mark !== undefined) return outcomeOf(mark.outcome);
  const cell = lane.past_cells[lane.past_cells.length - 1];
  return cell === undefined ? null : outcomeOf(cell.worst);
}
