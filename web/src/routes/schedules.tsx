import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { flag, moment, oneOf, params, text } from "@/lib/search";
import { shellRoute } from "./root";

export const schedulesRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/schedules",
    validateSearch: params({
      zoom: oneOf("6h", "1d", "3d", "7d", "21d", "90d"),
      /** Where the strips begin; without it they follow the present. */
      from: moment(),
      group: text(100),
      find: text(200),
      show: oneOf("attention", "skipped", "paused", "changed"),
      /** Whose slots the load lane is about: `pool/etl-db`. */
      limit: text(220),
      table: flag(),
      schedule: text(40),
      tab: oneOf("ledger", "backfills", "history", "edit"),
      /** Add a schedule; what is written first, if anything. */
      add: text(100),
      workflow: text(210),
    }),
    component: lazyRouteComponent(() => import("@/rooms/schedules/SchedulesPage"), "SchedulesPage"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/calendars",
    validateSearch: params({ calendar: text(100) }),
    component: lazyRouteComponent(() => import("@/rooms/schedules/CalendarsPage"), "CalendarsPage"),
  }),
] as const;
