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
} from "@tabler/icons-react";
import type { shell } from "@/strings/shell";

export interface Screen {
  id: keyof typeof shell.nav;
  to: string;
  key: string;
  icon: typeof IconHome2;
  /** In the bottom bar of a phone. */
  first?: boolean;
}

export const SCREENS: readonly Screen[] = [
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
