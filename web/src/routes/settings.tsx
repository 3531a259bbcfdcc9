import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { flag, moment, oneOf, params, text } from "@/lib/search";
import { SETTINGS_PAGES } from "@/rooms/settings/pages";
import { shellRoute } from "./root";

export const settingsRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/settings",
    validateSearch: params({
      page: oneOf(...SETTINGS_PAGES),
      /** Found images: only of this source, only in this state. */
      source: text(100),
      state: oneOf("waiting", "registered", "dismissed", "gone"),
      archived: flag(),
      actor: text(200),
      action: text(200),
      target: text(500),
      address: text(100),
      since: moment(),
      until: moment(),
      /** The entry of the audit log that is open. */
      entry: text(100),
    }),
    component: lazyRouteComponent(() => import("@/rooms/settings/SettingsPage"), "SettingsPage"),
  }),
] as const;
