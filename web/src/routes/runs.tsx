import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { flag, list, oneOf, params, text, whole } from "@/lib/search";
import { shellRoute } from "./root";

export const TABS = ["timeline", "graph", "steps", "logs", "result", "changes"] as const;

export const runsRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/runs",
    validateSearch: params({ q: text(1000), view: text(60), columns: list(), bulk: text(40) }),
    component: lazyRouteComponent(() => import("@/rooms/runs/RunsPage"), "RunsPage"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/runs/$runId",
    validateSearch: params({
      tab: oneOf(...TABS),
      step: text(100),
      attempt: whole(1),
      table: flag(),
      /** Of the log. */
      find: text(500),
      level: oneOf("debug", "info", "warning", "error", "critical"),
      operation: text(100),
      line: text(40),
      report: text(40),
    }),
    component: lazyRouteComponent(() => import("@/rooms/run/RunPage"), "RunPage"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/runs/$runId/compare/$otherId",
    validateSearch: params({}),
    component: lazyRouteComponent(() => import("@/rooms/run/ComparePage"), "ComparePage"),
  }),
] as const;
