import { createRootRoute, createRoute, Outlet, redirect } from "@tanstack/react-router";
import { queryClient } from "@/api/query";
import { meQuery } from "@/api/session";
import { Broken, Missing } from "@/shell/Broken";
import { Shell } from "@/shell/Shell";

export const rootRoute = createRootRoute({
  component: Outlet,
  errorComponent: Broken,
});

/** What is below is only there for who is signed in; others sign in and come back. */
export const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "shell",
  beforeLoad: async ({ location }) => {
    const me = await queryClient.ensureQueryData(meQuery);
    if (me?.mode === "engine" && location.pathname !== "/steps") throw redirect({ to: "/steps" });
    if (me !== null) return;
    const next = location.href === "/" ? undefined : location.href;
    throw redirect({ to: "/login", search: { next } });
  },
  component: Shell,
  errorComponent: Broken,
});

export const missingRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "$",
  component: Missing,
});
