import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { params } from "@/lib/search";
import { shellRoute } from "./root";

export const homeRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/",
    validateSearch: params({}),
    component: lazyRouteComponent(() => import("@/rooms/home/HomePage"), "HomePage"),
  }),
] as const;
