import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { params } from "@/lib/search";
import { shellRoute } from "./root";

export const workflowsRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/workflows",
    validateSearch: params({}),
    component: lazyRouteComponent(() => import("@/rooms/workflows/CatalogPage"), "CatalogPage"),
  }),
] as const;
