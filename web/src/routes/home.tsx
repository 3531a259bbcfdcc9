import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { flag, params, text } from "@/lib/search";
import { shellRoute } from "./root";

export const homeRoutes = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "/",
    validateSearch: params({
      /** Causes that are muted are shown too. */
      muted: flag(),
      /** An act on many runs that is followed, and the cause that it is about. */
      bulk: text(40),
      cause: text(64),
      table: flag(),
      /** The first steps are shown though they were closed. */
      first: flag(),
    }),
    component: lazyRouteComponent(() => import("@/rooms/home/HomePage"), "HomePage"),
  }),
] as const;
