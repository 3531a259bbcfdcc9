/** The nine screens: where they are, their key, their icon. */

import {
  IconActivity,
  IconBook2,
  IconCalendarTime,
  IconChartLine,
  IconChecklist,
  IconDatabase,
  IconFileAnalytics,
  IconHome2,
  IconSettings,
  IconStack2,
} from "@tabler/icons-react";
import { useMe } from "@/api/session";
import type { shell } from "@/strings/shell";

export interface Screen {
  id: keyof typeof shell.nav;
  to: string;
  key: string;
  icon: typeof IconHome2;
  /** In the bottom bar of a phone. */
  first?: boolean;
}

const SCREENS: readonly Screen[] = [
  { id: "home", to: "/", key: "h", icon: IconHome2, first: true },
  { id: "review", to: "/review", key: "v", icon: IconChecklist, first: true },
  { id: "catalog", to: "/workflows", key: "c", icon: IconBook2 },
  { id: "schedules", to: "/schedules", key: "s", icon: IconCalendarTime, first: true },
  { id: "runs", to: "/runs", key: "r", icon: IconActivity, first: true },
  { id: "metrics", to: "/metrics", key: "m", icon: IconChartLine },
  { id: "reports", to: "/reports", key: "p", icon: IconFileAnalytics },
  { id: "state", to: "/state", key: "d", icon: IconDatabase },
  { id: "settings", to: "/settings", key: "e", icon: IconSettings },
];

/** The steps of the engine: behind Runs where there is a server, else all that there is. */
export const STEPS: Screen = { id: "steps", to: "/steps", key: "x", icon: IconStack2, first: true };

/** Whether only a store of steps is looked at, without a server. */
export function useBare(): boolean {
  return useMe().mode === "engine";
}

/** Those of the rail. */
export function useScreens(): readonly Screen[] {
  return useBare() ? [STEPS] : SCREENS;
}

/** Those that keys and the palette lead to. */
export function useAllScreens(): readonly Screen[] {
  return useBare() ? [STEPS] : [...SCREENS, STEPS];
}
