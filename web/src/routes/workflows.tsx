import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { flag, oneOf, params, text, whole } from "@/lib/search";
import { WORKFLOW_TABS } from "@/rooms/workflows/pages";
import { shellRoute } from "./root";

export const workflowsRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/workflows",
    validateSearch: params({ text: text(200), by: oneOf("group") }),
    component: lazyRouteComponent(() => import("@/rooms/workflows/CatalogPage"), "CatalogPage"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/workflows/$group/$workflow",
    validateSearch: params({
      tab: oneOf(...WORKFLOW_TABS),
      /** The dialog that starts a run. */
      start: flag(),
      /** The charts as a table. */
      table: flag(),
      one: whole(1),
      other: whole(1),
    }),
    component: lazyRouteComponent(() => import("@/rooms/workflows/WorkflowPage"), "WorkflowPage"),
  }),
] as const;
