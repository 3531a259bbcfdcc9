/** Where the time of an operation went: the phases of its run, cut to the operation's own. Pure. */

import type { Phase, RunDetail, RunStep } from "./queries";

export type PieceName = Phase["name"] | "earlier tries" | "handed over" | "waiting";

export interface Bar {
  name: PieceName;
  /** Milliseconds since the epoch. */
  from: number;
  until: number;
  attempt: number;
  open: boolean;
}

const ms = (at: string) => Date.parse(at);

/** The run's phases as bars. */
export function barsOfRun(run: Pick<RunDetail, "phases">, now: number): Bar[] {
  return run.phases.map((one) => ({
    name: one.name,
    from: ms(one.started_at),
    until: one.finished_at === null ? Math.max(now, ms(one.started_at)) : ms(one.finished_at),
    attempt: one.attempt,
    open: one.finished_at === null,
  }));
}

/**
 * The bars of one operation: until it began, whatever the run was in (queued, starting, asleep);
 * what lay between, when the run was running, are earlier tries where it had some; then its own.
 */
export function barsOfStep(step: RunStep, phases: readonly Bar[], now: number): Bar[] {
  if (step.reused) return [];
  const created = ms(step.created_at);
  const started = step.started_at === null ? null : ms(step.started_at);
  const ended = step.ended_at === null ? null : ms(step.ended_at);
  const attempt = attemptAt(phases, started ?? now);
  const begun = started !== null && step.executions > 0;
  const waitsAgain = begun && ended === null && !step.claimed;
  // Of its first try nothing is written before its end: whoever has taken it is at it.
  const runs = !begun && ended === null && step.claimed;
  const end = ended ?? now;
  const until = begun && !waitsAgain ? started : end;
  const found = cut(phases, created, until, step, runs);
  if (begun && !waitsAgain) {
    found.push({
      name: "running",
      from: started,
      until: Math.max(end, started),
      attempt,
      open: ended === null,
    });
  }
  return found.filter((one) => one.until > one.from || one.open);
}

function cut(
  phases: readonly Bar[],
  from: number,
  until: number,
  step: RunStep,
  runs: boolean,
): Bar[] {
  const again = step.failures > 0 && step.ended_at === null;
  const tried = step.executions > 1 || step.lost > 0 || again;
  const meanwhile = runs ? "running" : tried ? "earlier tries" : "handed over";
  return phases
    .filter((one) => one.from < until && one.until > from)
    .map((one) => ({
      ...one,
      name: one.name === "running" ? meanwhile : one.name,
      from: Math.max(one.from, from),
      until: Math.min(one.until, until),
      open: one.open && step.ended_at === null,
    }));
}

function attemptAt(phases: readonly Bar[], at: number): number {
  return phases.findLast((one) => one.from <= at)?.attempt ?? 1;
}

const IDLE: ReadonlySet<PieceName> = new Set(["asleep", "approval", "retry wait"]);

/** Seconds that the operation itself took, with its earlier tries and without its waits. */
export function ownSeconds(bars: readonly Bar[]): number {
  return whole(bars.filter((one) => one.name === "running" || one.name === "earlier tries"));
}

/** Seconds of all these bars. */
export function whole(bars: readonly Bar[]): number {
  return bars.reduce((sum, one) => sum + (one.until - one.from) / 1000, 0);
}

/** Whether nothing is done meanwhile. */
export function isIdle(name: PieceName): boolean {
  return IDLE.has(name);
}

/** The state of an operation's row in one word. */
export function stateOf(
  step: RunStep,
): "succeeded" | "failed" | "cancelled" | "skipped" | "running" | "waiting" | "scheduled" {
  switch (step.ended_as) {
    case "done":
      return "succeeded";
    case "failed":
      return "failed";
    case "skipped":
      return "skipped";
    case "cancelled":
      return "cancelled";
    default:
      return step.claimed ? "running" : "waiting";
  }
}

/** Seconds from when it was there until it began; unknown where it was tried before. */
export function waited(step: RunStep): number | null {
  if (step.started_at === null || step.reused || step.executions > 1) return null;
  return Math.max(0, (Date.parse(step.started_at) - Date.parse(step.created_at)) / 1000);
}

/** What the tabs of a run show. */
export interface Shown {
  run: RunDetail;
  steps: readonly RunStep[];
  open: (step: string | undefined) => void;
  current: string | undefined;
}
