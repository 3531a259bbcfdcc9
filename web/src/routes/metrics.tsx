import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { flag, moment, oneOf, params, text } from "@/lib/search";
import { shellRoute } from "./root";

export const metricsRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/metrics",
    validateSearch: params({
      group: text(100),
      workflow: text(100),
      operation: text(100),
      range: oneOf("1h", "6h", "24h", "7d", "30d", "90d"),
      from: moment(),
      to: moment(),
      /** The charts as a table. */
      table: flag(),
      by: oneOf("workflow", "operation", "group"),
      order: oneOf("average", "error-rate", "failed", "count", "time"),
    }),
    component: lazyRouteComponent(() => import("@/rooms/metrics/MetricsPage"), "MetricsPage"),
  }),
] as const;
