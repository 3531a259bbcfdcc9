import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { params } from "@/lib/search";
import { shellRoute } from "./root";

export const settingsRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/settings",
    validateSearch: params({}),
    component: lazyRouteComponent(() => import("@/rooms/settings/SettingsPage"), "SettingsPage"),
  }),
] as const;
