import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, ok, type Schemas } from "@/api/client";

export type RunDetail = Schemas["RunDetail"];
export type RunStep = Schemas["RunStep"];
export type Phase = Schemas["Phase"];
export type Why = Schemas["Why"];
export type Comparison = Schemas["Comparison"];
export type ReexecutionPlan = Schemas["ReexecutionPlan"];
export type LogPage = Schemas["LogPage"];
export type LogLine = Schemas["LogLine"];
export type Report = Schemas["Report"];

const ENDED: ReadonlySet<string> = new Set(["succeeded", "failed", "cancelled", "superseded"]);

export const hasEnded = (run: Pick<RunDetail, "state">): boolean => ENDED.has(run.state);

/** While it goes on, its operations move without the run's own row changing. */
const EVERY = 2_000;

export const runQuery = (run_id: string) =>
  queryOptions({
    queryKey: ["run", run_id],
    queryFn: () => ok(api.GET("/api/v1/runs/{run_id}", { params: { path: { run_id } } })),
    refetchInterval: ({ state }) =>
      state.data !== undefined && !hasEnded(state.data) ? EVERY : false,
  });

export const scheduleQuery = (schedule_id: string) =>
  queryOptions({
    queryKey: ["schedules", "one", schedule_id],
    staleTime: 60_000,
    queryFn: () =>
      ok(api.GET("/api/v1/schedules/{schedule_id}", { params: { path: { schedule_id } } })),
  });

const STEPS = 500;

export const stepsQuery = (run_id: string, goesOn: boolean) =>
  infiniteQueryOptions({
    queryKey: ["run", run_id, "steps"],
    queryFn: ({ pageParam }) =>
      ok(
        api.GET("/api/v1/runs/{run_id}/steps", {
          params: { path: { run_id }, query: { limit: STEPS, cursor: pageParam } },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: goesOn ? EVERY : false,
  });

export const whyQuery = (run_id: string, step?: string) =>
  queryOptions({
    queryKey: ["run", run_id, "why", step ?? ""],
    queryFn: () =>
      ok(
        api.GET("/api/v1/runs/{run_id}/why", {
          params: { path: { run_id }, query: { step } },
        }),
      ),
    refetchInterval: 5_000,
  });

export const changesQuery = (run_id: string) =>
  queryOptions({
    queryKey: ["run", run_id, "changes"],
    queryFn: () => ok(api.GET("/api/v1/runs/{run_id}/changes", { params: { path: { run_id } } })),
  });

export const compareQuery = (run_id: string, other_id: string) =>
  queryOptions({
    queryKey: ["run", run_id, "compare", other_id],
    queryFn: () =>
      ok(
        api.GET("/api/v1/runs/{run_id}/compare/{other_id}", {
          params: { path: { run_id, other_id } },
        }),
      ),
  });

export const stepQuery = (step_id: string) =>
  queryOptions({
    queryKey: ["steps", step_id],
    queryFn: () => ok(api.GET("/api/v1/steps/{step_id}", { params: { path: { step_id } } })),
    staleTime: 2_000,
  });

export const reportsQuery = (run_id: string) =>
  queryOptions({
    queryKey: ["reports", "of", run_id],
    queryFn: () => ok(api.GET("/api/v1/reports", { params: { query: { run_id, limit: 200 } } })),
  });

/** How many runs failed for the same cause, this one among them. */
export const causeQuery = (fingerprint: string) =>
  queryOptions({
    queryKey: ["runs", "count", `cause:${fingerprint}`, false],
    queryFn: () =>
      ok(
        api.GET("/api/v1/runs/counts", {
          params: { query: { q: `cause:${fingerprint} state:failed` } },
        }),
      ),
  });
