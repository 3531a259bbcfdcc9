/** What the screen reads and writes of the API. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, ok, type Schemas } from "@/api/client";
import { exactText, parseExact } from "@/lib/exact";

export type Entry = Schemas["StateEntry"];

const TEXT = { parseAs: "text", bodySerializer: exactText } as const;

/** An answer whose numbers are exactly those that were kept. */
async function exact<T>(call: Parameters<typeof ok<string>>[0]): Promise<T> {
  return parseExact(await ok(call)) as T;
}

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
      exact<Schemas["StateEntryPage"]>(
        api.GET("/api/v1/state", {
          params: { query: { ...filter, cursor: pageParam, limit: 100 } },
          ...TEXT,
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
    queryFn: () =>
      exact<Entry>(api.GET("/api/v1/state/{group}/entry", { params: params(place), ...TEXT })),
  });

export const historyQuery = (place: Place) =>
  queryOptions({
    queryKey: ["state", "history", place],
    queryFn: () =>
      exact<Schemas["StateEntryPage"]>(
        api.GET("/api/v1/state/{group}/history", {
          params: { path: { group: place.group }, query: { ...params(place).query, limit: 50 } },
          ...TEXT,
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
      exact<Schemas["StateChange"]>(
        api.GET("/api/v1/state/{group}/changes", {
          params: {
            path: { group: place.group },
            query: { ...params(place).query, version, other },
          },
          ...TEXT,
        }),
      ),
  });

export function edit(place: Place, body: Schemas["Edit"]): Promise<Entry> {
  return exact(api.POST("/api/v1/state/{group}/edits", { params: params(place), body, ...TEXT }));
}

export function restore(place: Place, body: Schemas["StateRestore"]): Promise<Entry> {
  return exact(
    api.POST("/api/v1/state/{group}/restores", { params: params(place), body, ...TEXT }),
  );
}
