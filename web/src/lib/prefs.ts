/** What a person has chosen for this browser: kept in local storage, the same in all tabs. */

import { useSyncExternalStore } from "react";

/** In which zone instants are shown: one's own, UTC, or that of the schedule they are about. */
export type ZoneChoice = "local" | "utc" | "schedule";

export interface Prefs {
  zone: ZoneChoice;
  /** Keys without a modifier (WCAG 2.1.4: they can be turned off). */
  keys: boolean;
  /** Whether the rail shows words. */
  wideRail: boolean;
}

const KEY = "stepwell.prefs";
const FIRST: Prefs = { zone: "local", keys: true, wideRail: true };

let current = read();
const listeners = new Set<() => void>();

function read(): Prefs {
  try {
    return { ...FIRST, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return FIRST;
  }
}

function tell(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

window.addEventListener("storage", (event) => {
  if (event.key !== KEY) return;
  current = read();
  tell();
});

export function prefs(): Prefs {
  return current;
}

export function setPrefs(change: Partial<Prefs>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // Private windows may refuse; it holds for this page then.
  }
  tell();
}

export function usePrefs(): Prefs {
  return useSyncExternalStore(subscribe, prefs);
}
