import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { params } from "@/lib/search";
import { shellRoute } from "./root";

export const reviewRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/review",
    validateSearch: params({}),
    component: lazyRouteComponent(() => import("@/rooms/review/ReviewPage"), "ReviewPage"),
  }),
] as const;
