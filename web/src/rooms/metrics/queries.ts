/** What the screen reads of the API. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, ok, type Schemas } from "@/api/client";

export const RANGES = ["1h", "6h", "24h", "7d", "30d", "90d"] as const;
export type Range = (typeof RANGES)[number];

/** What is measured: everything, or a group, a workflow, an operation of it. */
export interface Subject {
  group?: string;
  workflow?: string;
  operation?: string;
}

export interface Window {
  from: string;
  to?: string;
}

const HOUR = 3_600_000;
const HOURS: Record<Range, number> = {
  "1h": 2,
  "6h": 6,
  "24h": 24,
  "7d": 168,
  "30d": 720,
  "90d": 2160,
};

/**
 * Whole hours or days up to now; the one that goes on is the last of them. Of a single hour the
 * one before belongs to it, for of the one that goes on there may be a minute.
 */
export function windowOf(range: Range, now: number): Window {
  const unit = HOURS[range] > 168 ? 24 * HOUR : HOUR;
  const until = Math.floor(now / unit) * unit + unit;
  return { from: new Date(until - HOURS[range] * HOUR).toISOString() };
}

export const measuredQuery = (subject: Subject, window: Window) =>
  queryOptions({
    queryKey: ["metrics", "query", subject, window],
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    queryFn: () =>
      ok(
        api.GET("/api/v1/metrics/query", {
          params: { query: { ...subject, ...window, compare: true } },
        }),
      ) as Promise<Schemas["Measured"]>,
  });

export const rankingQuery = (
  subject: Subject,
  window: Window,
  by: Schemas["By"],
  order: Schemas["Ranking"]["order"],
) =>
  queryOptions({
    queryKey: ["metrics", "ranking", subject, window, by, order],
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    queryFn: () =>
      ok(
        api.GET("/api/v1/metrics/ranking", {
          params: {
            query: {
              group: subject.group,
              workflow: subject.workflow,
              ...window,
              by,
              order,
              limit: 10,
            },
          },
        }),
      ) as Promise<Schemas["Ranking"]>,
  });

export const causesQuery = (subject: Subject, window: Window) =>
  queryOptions({
    queryKey: ["metrics", "causes", subject, window],
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    queryFn: () =>
      ok(
        api.GET("/api/v1/metrics/causes", {
          params: {
            query: { group: subject.group, workflow: subject.workflow, ...window, limit: 10 },
          },
        }),
      ),
  });

export const targetsQuery = (subject: Subject) =>
  queryOptions({
    queryKey: ["metrics", "targets", subject],
    queryFn: () =>
      ok(
        api.GET("/api/v1/targets", {
          params: { query: { group: subject.group, workflow: subject.workflow } },
        }),
      ),
  });

export const regressionsQuery = (subject: Subject) =>
  queryOptions({
    queryKey: ["metrics", "regressions", subject],
    queryFn: () =>
      ok(
        api.GET("/api/v1/metrics/regressions", {
          params: { query: { group: subject.group, workflow: subject.workflow } },
        }),
      ),
  });

export const operationsQuery = (subject: Subject) =>
  queryOptions({
    queryKey: ["workflows", subject.group ?? "", subject.workflow ?? ""],
    enabled: subject.workflow !== undefined,
    queryFn: () =>
      ok(
        api.GET("/api/v1/workflows/{group}/{workflow}", {
          params: { path: { group: subject.group ?? "", workflow: subject.workflow ?? "" } },
        }),
      ),
  });
