import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "./root";

/** Where one-time links lead: `/password#swl_…`. The secret never goes to a server's log. */
export const passwordRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/password",
  component: lazyRouteComponent(() => import("@/rooms/access/PasswordPage"), "PasswordPage"),
});
