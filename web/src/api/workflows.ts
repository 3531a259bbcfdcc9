/** The names of what is in force, for fields that choose a workflow. */

import { queryOptions } from "@tanstack/react-query";
import { api, ok } from "./client";

export const workflowNamesQuery = queryOptions({
  queryKey: ["workflows", "names"],
  staleTime: 60_000,
  queryFn: () => ok(api.GET("/api/v1/workflows", { params: { query: { limit: 500 } } })),
});
