import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { params } from "@/lib/search";
import { shellRoute } from "./root";

export const reportsRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/reports",
    validateSearch: params({}),
    component: lazyRouteComponent(() => import("@/rooms/reports/ReportsPage"), "ReportsPage"),
  }),
] as const;
