/** Where an effect is looked at, or mended. Pure. */

import type { Review } from "./queries";

type Effect = Review["effects"][number];

export interface Place {
  to: "/schedules" | "/runs/$runId";
  params: { runId: string };
  search: { schedule?: string; tab?: "edit" };
  /** Whether something is to be done there. */
  mend: boolean;
}

/** Null where an effect is about several things, or about none that has a page. */
export function placeOf(effect: Effect): Place | null {
  const [id, ...more] = effect.ids;
  if (id === undefined || more.length > 0) return null;
  if (effect.code === "schedule-misfit") return schedule(id, true);
  if (effect.code.startsWith("schedule")) return schedule(id, false);
  if (effect.code === "runs-continue") {
    return { to: "/runs/$runId", params: { runId: id }, search: {}, mend: false };
  }
  return null;
}

function schedule(id: string, mend: boolean): Place {
  const search = mend ? { schedule: id, tab: "edit" as const } : { schedule: id };
  return { to: "/schedules", params: { runId: "" }, search, mend };
}
