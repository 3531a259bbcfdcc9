/** The newest runs of a workflow, as bars and in words. Pure. */

import type { Schemas } from "@/api/client";
import { workflows as words } from "@/strings/workflows";

type Outcome = Schemas["Outcome"];

export function barsOf(outcomes: readonly Outcome[]) {
  return outcomes.map((one) => ({ id: one.run_id, state: one.state, seconds: one.seconds }));
}

export function inWords(outcomes: readonly Outcome[]): string {
  const good = outcomes.filter((one) => one.state === "succeeded").length;
  return words.outcomes(good, outcomes.length);
}
