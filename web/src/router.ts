import { createRouter } from "@tanstack/react-router";
import { BASE } from "./lib/page";
import { parseSearch, writeSearch } from "./lib/search";
import { routeTree } from "./routes/tree";

export const router = createRouter({
  routeTree,
  basepath: BASE || "/",
  parseSearch,
  stringifySearch: writeSearch,
  defaultPreload: "intent",
  defaultPreloadStaleTime: 0,
  scrollRestoration: true,
  trailingSlash: "never",
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
