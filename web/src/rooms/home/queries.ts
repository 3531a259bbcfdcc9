/** What the first page asks for, beside the summary that the shell has too. */

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, ok, type Schemas } from "@/api/client";

export type Summary = Schemas["Summary"];
export type Causes = Schemas["Causes"];
export type Cause = Causes["items"][number];
export type Bulk = Schemas["Bulk"];
export type FirstRun = Schemas["FirstRun"];
export type Measured = Schemas["Measured"];

const HOUR = 3_600_000;
const WEEK = 7 * 24 * HOUR;

export const causesQuery = (muted: boolean) =>
  queryOptions({
    queryKey: ["causes", muted],
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
    queryFn: () => ok(api.GET("/api/v1/causes", { params: { query: { muted, limit: 20 } } })),
  });

export const bulkQuery = (id: string) =>
  queryOptions({
    queryKey: ["bulk", id],
    queryFn: () => ok(api.GET("/api/v1/bulk/{bulk_id}", { params: { path: { bulk_id: id } } })),
    refetchInterval: ({ state }) => (state.data?.state === "running" ? 1000 : false),
  });

export const firstRunQuery = queryOptions({
  queryKey: ["first-run"],
  queryFn: () => ok(api.GET("/api/v1/first-run")),
  // It ticks itself: what is done elsewhere shows here within seconds.
  refetchInterval: ({ state }) => (state.data?.done ? false : 3000),
});

/** The figures of 24 hours that end now, or as long ago as `back`. */
async function measured(back: number): Promise<Measured | null> {
  const to = Math.ceil((Date.now() - back) / HOUR) * HOUR;
  const found = await ok(
    api.GET("/api/v1/metrics/query", {
      params: {
        query: {
          from: new Date(to - 24 * HOUR).toISOString(),
          to: new Date(to).toISOString(),
        },
      },
    }),
  );
  return "points" in found ? found : null;
}

/** Today against the same day a week ago: a Monday is not compared with a Sunday. */
export const dayQuery = queryOptions({
  queryKey: ["metrics", "home"],
  refetchInterval: 60_000,
  queryFn: async () => {
    const [now, then] = await Promise.all([measured(0), measured(WEEK)]);
    return { now, then };
  },
});
