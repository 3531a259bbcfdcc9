/** What the screen reads of the API. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, ok, type Schemas } from "@/api/client";

export type Workflow = Schemas["Workflow"];
export type WorkflowDetail = Schemas["WorkflowDetail"];
export type RunPlan = Schemas["RunPlan"];

export const workflowsQuery = (text: string) =>
  infiniteQueryOptions({
    queryKey: ["workflows", "list", text],
    placeholderData: keepPreviousData,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Schemas["WorkflowPage"]) => last.next ?? undefined,
    queryFn: ({ pageParam }) =>
      ok(
        api.GET("/api/v1/workflows", {
          params: { query: { limit: 100, cursor: pageParam, text: text || undefined } },
        }),
      ),
  });

/** Rates and durations of the last seven days, for the workflows that ran most. */
export const rankingQuery = queryOptions({
  queryKey: ["metrics", "ranking", "workflow", "7d"],
  staleTime: 60_000,
  queryFn: () =>
    ok(
      api.GET("/api/v1/metrics/ranking", {
        params: { query: { by: "workflow", order: "count", from: daysAgo(7), limit: 100 } },
      }),
    ),
});

export const workflowQuery = (group: string, workflow: string) =>
  queryOptions({
    queryKey: ["workflows", group, workflow],
    queryFn: () =>
      ok(
        api.GET("/api/v1/workflows/{group}/{workflow}", { params: { path: { group, workflow } } }),
      ),
  });

export const measuredQuery = (group: string, workflow: string) =>
  queryOptions({
    queryKey: ["metrics", "query", group, workflow, "7d"],
    staleTime: 60_000,
    queryFn: () =>
      ok(
        api.GET("/api/v1/metrics/query", {
          params: { query: { group, workflow, from: daysAgo(7) } },
        }),
      ) as Promise<Schemas["Measured"]>,
  });

export const schedulesQuery = (group: string, workflow: string) =>
  queryOptions({
    queryKey: ["schedules", "of", group, workflow],
    queryFn: () =>
      ok(api.GET("/api/v1/schedules", { params: { query: { group, workflow, limit: 100 } } })),
  });

export const reportsQuery = (group: string, workflow: string) =>
  queryOptions({
    queryKey: ["reports", "of", group, workflow],
    queryFn: () =>
      ok(api.GET("/api/v1/reports", { params: { query: { group, workflow, limit: 50 } } })),
  });

export const differenceQuery = (group: string, number: number, against: number) =>
  queryOptions({
    queryKey: ["releases", group, number, "diff", against],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () =>
      ok(
        api.GET("/api/v1/groups/{name}/releases/{number}/diff", {
          params: { path: { name: group, number }, query: { against } },
        }),
      ),
  });

/** The latest runs of a workflow, for its inputs. */
export const recentQuery = (group: string, workflow: string) =>
  queryOptions({
    queryKey: ["runs", "recent", group, workflow],
    queryFn: () =>
      ok(
        api.GET("/api/v1/runs", {
          params: { query: { q: `group:${group} workflow:${workflow}`, limit: 20 } },
        }),
      ),
  });

function daysAgo(days: number): string {
  const hour = 3_600_000;
  // An hour less, for the hour that goes on is one of them: up to 7 days are shown by hours.
  return new Date(Math.floor(Date.now() / hour) * hour - (days * 24 - 1) * hour).toISOString();
}
