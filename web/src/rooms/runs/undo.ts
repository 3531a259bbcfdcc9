/** What takes back an act on many runs, as far as anything does. Pure. */

import type { runs } from "@/strings/runs";
import type { Bulk } from "./queries";

/** An act on many runs, as the API takes it. */
export interface Act {
  name: keyof typeof runs.act;
  action: "cancel" | "label" | "repeat" | "reexecute";
  arguments: Record<string, unknown>;
  danger?: boolean;
}

export interface Undo {
  act: Act;
  target: { query: string } | { ids: string[] };
}

const STARTED = { repeat: "repeat", reexecute: "reexecution" } as const;

/**
 * Of cancelled runs, where it is known which they were: to ask for them again. Of runs that were
 * started: to cancel those of them that still go on. Nothing takes a label back.
 */
export function undoOf(bulk: Bulk): Undo | null {
  if (bulk.state === "running" || bulk.done === 0) return null;
  if (bulk.action === "cancel") {
    const left = new Set(bulk.failures.map((one) => one.run_id));
    if (bulk.ids === null || bulk.state !== "finished" || left.size < bulk.failed) return null;
    const ids = bulk.ids.filter((one) => !left.has(one));
    return { act: { name: "repeat", action: "repeat", arguments: {} }, target: { ids } };
  }
  const trigger = STARTED[bulk.action as keyof typeof STARTED];
  if (trigger === undefined || bulk.finished_at === null) return null;
  const query = [
    `trigger:${trigger}`,
    `by:${bulk.created_by}`,
    `since:${bulk.created_at}`,
    `until:${bulk.finished_at}`,
    "state:waiting,starting,running",
  ].join(" ");
  return {
    act: { name: "cancel", action: "cancel", arguments: {}, danger: true },
    target: { query },
  };
}
