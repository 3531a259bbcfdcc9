import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { queryClient } from "@/api/query";
import { waysQuery } from "@/api/session";
import { params, text } from "@/lib/search";
import { rootRoute } from "./root";

export const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: params({ next: text(), setup: text(200) }),
  loader: () => queryClient.ensureQueryData(waysQuery),
  component: lazyRouteComponent(() => import("@/rooms/access/LoginPage"), "LoginPage"),
});
