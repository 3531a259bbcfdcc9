import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { params } from "@/lib/search";
import { shellRoute } from "./root";

export const stateRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/state",
    validateSearch: params({}),
    component: lazyRouteComponent(() => import("@/rooms/state/StatePage"), "StatePage"),
  }),
] as const;
