/** What the screen reads of the API. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, ok, type Schemas } from "@/api/client";

export type Report = Schemas["Report"];

export interface Filter {
  group?: string;
  workflow?: string;
  name?: string;
}

export const reportsQuery = (filter: Filter) =>
  infiniteQueryOptions({
    queryKey: ["reports", "list", filter],
    placeholderData: keepPreviousData,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Schemas["ReportPage"]) => last.next ?? undefined,
    queryFn: ({ pageParam }) =>
      ok(
        api.GET("/api/v1/reports", {
          params: { query: { ...filter, cursor: pageParam, limit: 50 } },
        }),
      ),
  });

export const reportQuery = (id: string) =>
  queryOptions({
    queryKey: ["reports", "one", id],
    queryFn: () =>
      ok(api.GET("/api/v1/reports/{report_id}", { params: { path: { report_id: id } } })),
  });

export const comparisonQuery = (id: string) =>
  queryOptions({
    queryKey: ["reports", "comparison", id],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () =>
      ok(
        api.GET("/api/v1/reports/{report_id}/comparison", { params: { path: { report_id: id } } }),
      ),
  });

export function share(id: string, body: Schemas["NewShare"]): Promise<Schemas["SharedLink"]> {
  return ok(
    api.POST("/api/v1/reports/{report_id}/shares", { params: { path: { report_id: id } }, body }),
  );
}
