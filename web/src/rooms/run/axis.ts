/**
 * The time axis of a timeline. Idle time (asleep, waiting for a reviewer or a retry) that is
 * long beside what was done is folded to a fixed width, so that it does not squash the rest. Pure.
 */

export interface Stretch {
  /** Milliseconds since the epoch. */
  from: number;
  until: number;
  /** Nothing was done: it may be folded. */
  idle: boolean;
}

export interface Piece extends Stretch {
  /** Places on the axis, from 0 to 1. */
  begin: number;
  end: number;
  folded: boolean;
}

export interface Axis {
  from: number;
  until: number;
  pieces: Piece[];
  place: (at: number) => number;
}

/** How wide a folded piece is, beside all of the axis. */
const FOLD = 0.06;
/** Idle time is folded from so much of the busy time on, and never below this, in ms. */
const SHARE = 0.35;
const LEAST = 20_000;

/** The axis over these stretches, which are in order; gaps between them count as busy. */
export function axisOf(stretches: readonly Stretch[], from: number, until: number): Axis {
  const end = Math.max(until, from + 1);
  const whole = filled(stretches, from, end);
  const busy = sum(whole.filter((one) => !one.idle));
  const fold = (one: Stretch) =>
    one.idle && busy > 0 && one.until - one.from > Math.max(LEAST, busy * SHARE);
  const folds = whole.filter(fold).length;
  const width = Math.min(FOLD, 0.4 / Math.max(1, folds));
  const open = sum(whole.filter((one) => !fold(one))) || 1;
  const share = 1 - folds * width;
  let at = 0;
  const pieces = whole.map((one): Piece => {
    const folded = fold(one);
    const begin = at;
    at += folded ? width : (share * (one.until - one.from)) / open;
    return { ...one, begin, end: at, folded };
  });
  return { from, until: end, pieces, place: (time) => placed(pieces, time) };
}

function placed(pieces: readonly Piece[], time: number): number {
  const piece = pieces.find((one) => time < one.until) ?? pieces.at(-1);
  if (piece === undefined) return 0;
  const part = (time - piece.from) / (piece.until - piece.from || 1);
  const place = piece.begin + Math.min(1, Math.max(0, part)) * (piece.end - piece.begin);
  return Math.min(1, Math.max(0, place));
}

/** Without gaps and overlaps, from the first to the last instant. */
function filled(stretches: readonly Stretch[], from: number, until: number): Stretch[] {
  const found: Stretch[] = [];
  let at = from;
  for (const one of stretches) {
    const begin = Math.max(one.from, at);
    const end = Math.min(one.until, until);
    if (end <= begin) continue;
    if (begin > at) found.push({ from: at, until: begin, idle: false });
    found.push({ from: begin, until: end, idle: one.idle });
    at = end;
  }
  if (at < until) found.push({ from: at, until, idle: false });
  return found.filter((one) => one.until > one.from);
}

function sum(stretches: readonly Stretch[]): number {
  return stretches.reduce((total, one) => total + one.until - one.from, 0);
}

const STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
];

/** Some round distances from the beginning, in seconds, that do not stand in folds. */
export function ticksOf(axis: Axis, most = 6): number[] {
  const open = sum(axis.pieces.filter((one) => !one.folded)) / 1000;
  const step = STEPS.find((one) => open / one <= most) ?? 86_400 * Math.ceil(open / 86_400 / most);
  const found: number[] = [];
  const total = (axis.until - axis.from) / 1000;
  let last = -1;
  for (let at = 0; at <= total && found.length < 400; at += step) {
    const time = axis.from + at * 1000;
    if (axis.pieces.some((one) => one.folded && time > one.from && time < one.until)) continue;
    const place = axis.place(time);
    if (place - last < 0.8 / most && found.length > 0) continue;
    if (place > 0.97) break;
    last = place;
    found.push(at);
  }
  return found;
}
