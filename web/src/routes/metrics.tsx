import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { params } from "@/lib/search";
import { shellRoute } from "./root";

export const metricsRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/metrics",
    validateSearch: params({}),
    component: lazyRouteComponent(() => import("@/rooms/metrics/MetricsPage"), "MetricsPage"),
  }),
] as const;
