import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { oneOf, params, text } from "@/lib/search";
import { shellRoute } from "./root";

const shown = params({ workflow: text(100), view: oneOf("structured", "operations", "raw") });

export const reviewRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/review",
    validateSearch: params({ tab: oneOf("waiting", "decided", "errors") }),
    component: lazyRouteComponent(() => import("@/rooms/review/ReviewList"), "ReviewList"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/review/$group/$discovery",
    validateSearch: shown,
    component: lazyRouteComponent(() => import("@/rooms/review/ReviewPage"), "DiscoveryReview"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/review/$group/releases/$number",
    validateSearch: shown,
    component: lazyRouteComponent(() => import("@/rooms/review/ReviewPage"), "RollbackReview"),
  }),
] as const;
