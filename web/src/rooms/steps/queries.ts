/** What the screen reads of the API. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, ok, type Schemas } from "@/api/client";
import type { StateWord } from "@/components/StateGlyph";

export type Step = Schemas["StepBrief"];
export type StepDetail = Schemas["StepDetail"];
export type Lineage = Schemas["Lineage"];
export interface Filters {
  q?: string;
  status?: Step["status"];
}

export const stepsQuery = (filters: Filters) =>
  infiniteQueryOptions({
    queryKey: ["steps", "list", filters],
    placeholderData: keepPreviousData,
    refetchInterval: 5000,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Schemas["StepBriefPage"]) => last.next ?? undefined,
    queryFn: ({ pageParam }) =>
      ok(
        api.GET("/api/v1/steps", {
          params: { query: { ...filters, cursor: pageParam, limit: 50 } },
        }),
      ),
  });

export const countsQuery = (filters: Filters) =>
  queryOptions({
    queryKey: ["steps", "counts", filters],
    placeholderData: keepPreviousData,
    refetchInterval: 5000,
    queryFn: () => ok(api.GET("/api/v1/steps/counts", { params: { query: filters } })),
  });

export const failuresQuery = (filters: Filters) =>
  queryOptions({
    queryKey: ["steps", "failures", filters],
    placeholderData: keepPreviousData,
    queryFn: () => ok(api.GET("/api/v1/steps/failures", { params: { query: filters } })),
  });

export const stepQuery = (id: string) =>
  queryOptions({
    queryKey: ["steps", "one", id],
    queryFn: () => ok(api.GET("/api/v1/steps/{step_id}", { params: { path: { step_id: id } } })),
  });

export const lineageQuery = (id: string) =>
  queryOptions({
    queryKey: ["steps", "lineage", id],
    queryFn: () =>
      ok(
        api.GET("/api/v1/steps/{step_id}/lineage", {
          params: { path: { step_id: id }, query: { limit: 100 } },
        }),
      ),
  });

/** What may be written at the end of a query of steps. */
export const complete = (query: string) =>
  ok(api.GET("/api/v1/steps/completions", { params: { query: { q: query } } })).then(
    (found) => found.items,
  );

type Placed = Pick<Step, "status" | "ended_as" | "claimed_by" | "schedule_time">;

/** The state of a step by the words that all screens use. */
export function stateOf(one: Placed, now: number): StateWord {
  if (one.status === "failed") return one.ended_as === "cancelled" ? "cancelled" : "failed";
  if (one.status === "done") {
    return one.ended_as === "cancelled" || one.ended_as === "skipped" ? one.ended_as : "succeeded";
  }
  if (one.claimed_by !== null) return "running";
  return Date.parse(one.schedule_time) > now ? "scheduled" : "waiting";
}
