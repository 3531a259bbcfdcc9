/** What the screen asks the server for. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, ok, type Schemas } from "@/api/client";
import type { Span } from "./scale";

export type Strip = Schemas["Strip"];
export type Schedule = Schemas["ScheduledInFull"];
export type Downtime = Schemas["Downtime"];
export type Backfill = Schemas["Backfill"];
export type KeptCalendar = Schemas["KeptCalendar"];

const PAGE = 200;
/** So many schedules are drawn; a group narrows them. */
const MOST = 2000;

const iso = (at: number) => new Date(at).toISOString();

/** All lanes of a span; the load comes with the first page. */
export const stripQuery = (span: Span, group: string | undefined) =>
  queryOptions({
    queryKey: ["schedules", "strip", span.begin, span.end, group ?? ""],
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
    queryFn: async (): Promise<Strip> => {
      const ask = (cursor?: string) =>
        ok(
          api.GET("/api/v1/schedules/strip", {
            params: {
              query: { from: iso(span.begin), to: iso(span.end), group, limit: PAGE, cursor },
            },
          }),
        );
      const first = await ask();
      const lanes = [...first.lanes];
      for (let next = first.next; next !== null && lanes.length < MOST; ) {
        const page = await ask(next);
        lanes.push(...page.lanes);
        next = page.next;
      }
      return { ...first, lanes };
    },
  });

export const scheduleQuery = (id: string) =>
  queryOptions({
    queryKey: ["schedules", "one", id],
    queryFn: () =>
      ok(api.GET("/api/v1/schedules/{schedule_id}", { params: { path: { schedule_id: id } } })),
  });

export const whyQuery = (id: string) =>
  queryOptions({
    queryKey: ["schedules", "one", id, "why"],
    queryFn: () =>
      ok(api.GET("/api/v1/schedules/{schedule_id}/why", { params: { path: { schedule_id: id } } })),
    refetchInterval: 10_000,
  });

export const downtimesQuery = queryOptions({
  queryKey: ["schedules", "downtimes"],
  queryFn: () => ok(api.GET("/api/v1/schedules/downtimes", { params: { query: { limit: 5 } } })),
});

export const auditQuery = (id: string) =>
  queryOptions({
    queryKey: ["schedules", "audit", id],
    queryFn: () =>
      ok(
        api.GET("/api/v1/schedules/{schedule_id}/audit", {
          params: { path: { schedule_id: id } },
        }),
      ),
  });

export const backfillsQuery = (id: string) =>
  queryOptions({
    queryKey: ["schedules", "backfills", id],
    queryFn: () =>
      ok(
        api.GET("/api/v1/backfills", {
          params: { query: { schedule_id: id, limit: 50 } },
        }),
      ),
    refetchInterval: (query) =>
      query.state.data?.items.some((one) => one.state === "running") ? 2000 : false,
  });

/** What people and releases did to a schedule. */
export const historyQuery = (target: string) =>
  queryOptions({
    queryKey: ["schedules", "history", target],
    queryFn: () => ok(api.GET("/api/v1/audit", { params: { query: { target, limit: 100 } } })),
  });

export const groupsQuery = queryOptions({
  queryKey: ["groups", "of schedules"],
  queryFn: () => ok(api.GET("/api/v1/groups", { params: { query: { limit: 500 } } })),
});

export const calendarsQuery = queryOptions({
  queryKey: ["schedules", "calendars"],
  queryFn: () => ok(api.GET("/api/v1/calendars", { params: { query: { limit: 500 } } })),
});

export const calendarQuery = (name: string) =>
  queryOptions({
    queryKey: ["schedules", "calendars", name],
    queryFn: () => ok(api.GET("/api/v1/calendars/{name}", { params: { path: { name } } })),
  });

export type NewPreview = Schemas["NewPreview"];

export const previewQuery = (body: NewPreview) =>
  queryOptions({
    queryKey: ["schedules", "preview", body],
    placeholderData: keepPreviousData,
    retry: false,
    queryFn: ({ signal }) => ok(api.POST("/api/v1/schedule-previews", { body, signal })),
  });

export type NewBackfill = Schemas["NewBackfill"];

export const backfillPreviewQuery = (id: string, body: NewBackfill) =>
  queryOptions({
    queryKey: ["schedules", "backfill-preview", id, body],
    placeholderData: keepPreviousData,
    retry: false,
    queryFn: ({ signal }) =>
      ok(
        api.POST("/api/v1/schedules/{schedule_id}/backfill-previews", {
          params: { path: { schedule_id: id } },
          body,
          signal,
        }),
      ),
  });

/** What a schedule is called: with its own name only where it is not the source's. */
export function placeOf(one: { group: string; workflow: string; name: string }): string {
  const own = one.name === "default" ? "" : `/${one.name}`;
  return `${one.group}/${one.workflow}${own}`;
}
