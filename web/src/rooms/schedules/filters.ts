/** Which schedules are shown, in which order. Pure. */

import { BAD, type Lane, type Outcome, outcomeOf, tally } from "./marks";
import { placeOf } from "./queries";

export type Show = "attention" | "skipped" | "paused" | "changed";

const DAY = 86_400_000;

/** Whether a fire of the last day, or the newest one, went wrong; or it is late now. */
export function needsAttention(lane: Lane, now: number): boolean {
  if (lane.next_due !== null && lane.paused_at === null && now - Date.parse(lane.next_due) > 60_000)
    return true;
  return hasOfLate(lane, now, BAD);
}

/** Whether a fire of the last day, or the newest one, became that and was not made up for. */
export function hasOfLate(lane: Lane, now: number, wanted: ReadonlySet<Outcome>): boolean {
  const made = new Set(
    lane.made_up.filter((one) => one.outcome === "succeeded").map((one) => Date.parse(one.due_at)),
  );
  const marks = lane.past.filter(
    (one, at) =>
      (at === lane.past.length - 1 || now - Date.parse(one.last_due) < DAY) &&
      !made.has(Date.parse(one.first_due)),
  );
  const cells = lane.past_cells.filter(
    (one, at) => at === lane.past_cells.length - 1 || now - Date.parse(one.begin) < DAY,
  );
  return (
    marks.some((one) => wanted.has(outcomeOf(one.outcome))) ||
    cells.some((one) => Object.keys(one.outcomes).some((name) => wanted.has(outcomeOf(name))))
  );
}

const SKIPPED: ReadonlySet<Outcome> = new Set(["skipped"]);

export function shown(
  lanes: readonly Lane[],
  find: string,
  show: Show | undefined,
  now: number,
): Lane[] {
  const wanted = find.toLowerCase().split(/\s+/).filter(Boolean);
  return lanes
    .filter((lane) => {
      const text = `${placeOf(lane)} ${lane.description}`.toLowerCase();
      return wanted.every((word) => text.includes(word));
    })
    .filter((lane) => {
      if (show === "paused") return lane.paused_at !== null;
      if (show === "skipped") return hasOfLate(lane, now, SKIPPED);
      if (show === "changed") return lane.origin !== "source";
      return show === undefined || needsAttention(lane, now);
    })
    .sort((a, b) => placeOf(a).localeCompare(placeOf(b)));
}

export interface Facts {
  total: number;
  paused: number;
  attention: number;
  bad: number;
  next: Lane | null;
}

export function facts(lanes: readonly Lane[], now: number): Facts {
  const due = lanes.filter((one) => one.next_due !== null && one.paused_at === null);
  return {
    total: lanes.length,
    paused: lanes.filter((one) => one.paused_at !== null).length,
    attention: lanes.filter((one) => needsAttention(one, now)).length,
    bad: lanes.filter((one) => tally(one).bad.length > 0).length,
    next:
      due.sort((a, b) => Date.parse(a.next_due ?? "") - Date.parse(b.next_due ?? ""))[0] ?? null,
  };
}
