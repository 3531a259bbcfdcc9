import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { params } from "@/lib/search";
import { shellRoute } from "./root";

export const schedulesRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/schedules",
    validateSearch: params({}),
    component: lazyRouteComponent(() => import("@/rooms/schedules/SchedulesPage"), "SchedulesPage"),
  }),
] as const;
