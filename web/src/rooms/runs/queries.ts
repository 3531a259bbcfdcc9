import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, ok, type Schemas } from "@/api/client";

export type Run = Schemas["Run"];
export type FoundRuns = Schemas["FoundRuns"];
export type View = Schemas["View"];
export type Bulk = Schemas["Bulk"];
export type BulkPreview = Schemas["BulkPreview"];
export type Histogram = Schemas["Histogram"];

export const PAGE = 50;

export const fetchRuns = (q: string, limit: number, cursor?: string) =>
  ok(api.GET("/api/v1/runs", { params: { query: { q, limit, cursor } } }));

export const runsQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: ["runs", "list", q],
    queryFn: ({ pageParam }) => fetchRuns(q, PAGE, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: 5_000,
  });

export const countQuery = (q: string, exact: boolean) =>
  queryOptions({
    queryKey: ["runs", "count", q, exact],
    queryFn: () => ok(api.GET("/api/v1/runs/counts", { params: { query: { q, exact } } })),
    placeholderData: keepPreviousData,
  });

export const histogramQuery = (q: string, buckets: number) =>
  queryOptions({
    queryKey: ["runs", "histogram", q, buckets],
    queryFn: () => ok(api.GET("/api/v1/runs/histogram", { params: { query: { q, buckets } } })),
    placeholderData: keepPreviousData,
  });

export const viewsQuery = queryOptions({
  queryKey: ["views", "runs"],
  queryFn: () => ok(api.GET("/api/v1/views", { params: { query: { screen: "runs" } } })),
  staleTime: 60_000,
});

export const bulkQuery = (id: string) =>
  queryOptions({
    queryKey: ["bulk", id],
    queryFn: () => ok(api.GET("/api/v1/bulk/{bulk_id}", { params: { path: { bulk_id: id } } })),
    refetchInterval: ({ state }) => (state.data?.state === "running" ? 2000 : false),
  });

/** How long runs of each workflow usually take: "group/workflow" -> seconds. */
export const usualQuery = queryOptions({
  queryKey: ["metrics", "usual"],
  queryFn: async () => {
    const from = new Date(Date.now() - 30 * 86_400_000).toISOString();
    const found = await ok(
      api.GET("/api/v1/metrics/ranking", {
        params: { query: { by: "workflow", from, limit: 100 } },
      }),
    );
    const rows = "rows" in found ? found.rows : [];
    return new Map(rows.map((one) => [`${one.group}/${one.workflow}`, one.duration]));
  },
  staleTime: 600_000,
});

export const complete = (query: string) =>
  ok(api.GET("/api/v1/runs/completions", { params: { query: { q: query } } })).then(
    (found) => found.items,
  );
