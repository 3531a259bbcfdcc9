import { queryOptions } from "@tanstack/react-query";
import { api, ok } from "@/api/client";

/** Counts for the rail and all that the first page shows. */
export const summaryQuery = queryOptions({
  queryKey: ["summary"],
  queryFn: () => ok(api.GET("/api/v1/summary")),
  refetchInterval: 60_000,
});
