import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { params, text, whole } from "@/lib/search";
import { shellRoute } from "./root";

export const stateRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/state",
    validateSearch: params({
      group: text(100),
      scope: text(220),
      prefix: text(500),
      /** What is open: the key, in the scope and group of the three below. */
      key: text(500),
      of: text(100),
      at: text(220),
      version: whole(1),
    }),
    component: lazyRouteComponent(() => import("@/rooms/state/StatePage"), "StatePage"),
  }),
] as const;
