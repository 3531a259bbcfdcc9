import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { params, text } from "@/lib/search";
import { shellRoute } from "./root";

export const reportsRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/reports",
    validateSearch: params({
      group: text(100),
      workflow: text(100),
      name: text(200),
      /** The report whose drawer is open. */
      report: text(40),
    }),
    component: lazyRouteComponent(() => import("@/rooms/reports/ReportsPage"), "ReportsPage"),
  }),
] as const;
