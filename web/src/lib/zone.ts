/** In which zone the page tells the time. */

import { createContext, useContext } from "react";
import { usePrefs } from "./prefs";
import type { Zone } from "./time";

/** The zone of the schedule that this part of the page is about; null where there is none. */
const There = createContext<string | null>(null);

export const ScheduleZone = There.Provider;

/** What the person has chosen; for "the schedule's", where there is none, their own. */
export function useZone(): Zone {
  const there = useContext(There);
  const { zone } = usePrefs();
  return zone === "schedule" ? (there ?? "local") : zone;
}
