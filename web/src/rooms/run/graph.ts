/** The operations of a run as a chain; above sixty, those that went well fold. Pure. */

import { stateOf } from "./pieces";
import type { RunStep } from "./queries";

export interface Link extends Record<string, unknown> {
  id: string;
  /** The step whose drawer it opens. */
  step: string | undefined;
  name: string;
  state: ReturnType<typeof stateOf> | "folded";
  seconds: number | null;
  tries: number;
  /** How many it stands for. */
  count: number;
}

const MOST = 60;
/** So many beside one that did not go well stay open. */
const AROUND = 2;

export function chainOf(operations: readonly string[], steps: readonly RunStep[]): Link[] {
  const last = new Map(steps.map((one) => [one.operation, one]));
  const names = [...new Set([...operations, ...steps.map((one) => one.operation)])];
  const all = names.map((name): Link => {
    const step = last.get(name);
    return {
      id: name,
      step: step?.id,
      name,
      state: step === undefined ? "scheduled" : stateOf(step),
      seconds: step?.duration ?? null,
      tries: step?.executions ?? 0,
      count: 1,
    };
  });
  return all.length <= MOST ? all : folded(all);
}

const QUIET = new Set(["succeeded", "scheduled", "skipped"]);

function folded(all: readonly Link[]): Link[] {
  const kept = all.map((_, at) => {
    if (at < AROUND || at >= all.length - AROUND) return true;
    return all
      .slice(Math.max(0, at - AROUND), at + AROUND + 1)
      .some((near) => !QUIET.has(near.state));
  });
  const found: Link[] = [];
  all.forEach((one, at) => {
    const before = found.at(-1);
    if (kept[at]) found.push(one);
    else if (before?.state === "folded") {
      found[found.length - 1] = { ...before, count: before.count + 1 };
    } else {
      found.push({
        ...one,
        id: `folded ${one.id}`,
        step: undefined,
        state: "folded",
        seconds: null,
        tries: 0,
      });
    }
  });
  return found;
}
