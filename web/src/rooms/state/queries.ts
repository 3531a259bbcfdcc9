/** What the screen reads and writes of the API. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, ok, type Schemas } from "@/api/client";

export type Entry = Schemas["StateEntry"];

/** One key: scopes and keys may hold slashes, so they are never parts of a path. */
export interface Place {
  group: string;
  scope: string;
  key: string;
}

export const entriesQuery = (filter: { group?: string; scope?: string; prefix?: string }) =>
  infiniteQueryOptions({
    queryKey: ["state", "list", filter],
    placeholderData: keepPreviousData,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Schemas["StateEntryPage"]) => last.next ?? undefined,
    queryFn: ({ pageParam }) =>
      ok(
        api.GET("/api/v1/state", {
          params: { query: { ...filter, cursor: pageParam, limit: 100 } },
        }),
      ),
  });

export const groupsQuery = queryOptions({
  queryKey: ["groups", "names"],
  staleTime: 60_000,
  queryFn: () => ok(api.GET("/api/v1/groups", { params: { query: { limit: 500 } } })),
});

const params = ({ group, scope, key }: Place) => ({ path: { group }, query: { scope, key } });

export const entryQuery = (place: Place) =>
  queryOptions({
    queryKey: ["state", "entry", place],
    queryFn: () => ok(api.GET("/api/v1/state/{group}/entry", { params: params(place) })),
  });

export const historyQuery = (place: Place) =>
  queryOptions({
    queryKey: ["state", "history", place],
    queryFn: () =>
      ok(
        api.GET("/api/v1/state/{group}/history", {
          params: { path: { group: place.group }, query: { ...params(place).query, limit: 50 } },
        }),
      ),
  });

export const readersQuery = (place: Place) =>
  queryOptions({
    queryKey: ["state", "readers", place],
    queryFn: () => ok(api.GET("/api/v1/state/{group}/readers", { params: params(place) })),
  });

export const changesQuery = (place: Place, version: number, other: number) =>
  queryOptions({
    queryKey: ["state", "changes", place, version, other],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () =>
      ok(
        api.GET("/api/v1/state/{group}/changes", {
          params: {
            path: { group: place.group },
            query: { ...params(place).query, version, other },
          },
        }),
      ),
  });

export function edit(place: Place, body: Schemas["Edit"]): Promise<Entry> {
  return ok(api.POST("/api/v1/state/{group}/edits", { params: params(place), body }));
}

export function restore(place: Place, body: Schemas["StateRestore"]): Promise<Entry> {
  return ok(api.POST("/api/v1/state/{group}/restores", { params: params(place), body }));
}
