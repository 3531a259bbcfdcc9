import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { flag, oneOf, params, text } from "@/lib/search";
import { shellRoute } from "./root";

const own = { workflow: text(100), view: oneOf("structured", "operations", "raw") };
const shown = params(own);

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
    /** `tour`: shown around, for the first decision. */
    validateSearch: params({ ...own, tour: flag() }),
    component: lazyRouteComponent(() => import("@/rooms/review/ReviewPage"), "DiscoveryReview"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/review/$group/releases/$number",
    validateSearch: shown,
    component: lazyRouteComponent(() => import("@/rooms/review/ReviewPage"), "RollbackReview"),
  }),
] as const;
