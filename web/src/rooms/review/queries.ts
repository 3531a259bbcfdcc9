/** What the screen reads of the API. */

import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { api, ok, type Schemas } from "@/api/client";
import type { Operation } from "./operations";

export type Review = Schemas["Review"];
export type WorkflowReview = Schemas["WorkflowReview"];
export type Change = WorkflowReview["changes"][number];

/** What is offered: a discovery, or an earlier release. */
export type Offer = { group: string } & ({ discovery: string } | { release: number });

export const reviewsQuery = (state: "waiting" | "decided") =>
  queryOptions({
    queryKey: ["reviews", state],
    queryFn: () => ok(api.GET("/api/v1/reviews", { params: { query: { state } } })),
  });

export const failedQuery = queryOptions({
  queryKey: ["discoveries", "failed"],
  queryFn: () =>
    ok(
      api.GET("/api/v1/discoveries", {
        params: { query: { state: "failed", last: true, limit: 50 } },
      }),
    ),
});

/** The newest discovery of all groups. */
export const latestQuery = queryOptions({
  queryKey: ["discoveries", "latest"],
  queryFn: () => ok(api.GET("/api/v1/discoveries", { params: { query: { limit: 1 } } })),
});

export const sourcesQuery = queryOptions({
  queryKey: ["sources", "looked"],
  queryFn: () => ok(api.GET("/api/v1/sources", { params: { query: { limit: 100 } } })),
  refetchInterval: ({ state }) => (state.data?.items.some((one) => one.scanning) ? 1500 : false),
});

export const discoveryQuery = (group: string, id: string) =>
  queryOptions({
    queryKey: ["discoveries", group, id],
    queryFn: () =>
      ok(
        api.GET("/api/v1/groups/{name}/discoveries/{discovery_id}", {
          params: { path: { name: group, discovery_id: id } },
        }),
      ),
  });

export const releaseQuery = (group: string, number: number) =>
  queryOptions({
    queryKey: ["releases", group, number],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () =>
      ok(
        api.GET("/api/v1/groups/{name}/releases/{number}", {
          params: { path: { name: group, number } },
        }),
      ),
  });

export const reviewQuery = (offer: Offer) =>
  queryOptions({
    queryKey: ["reviews", offer.group, "discovery" in offer ? offer.discovery : offer.release],
    placeholderData: keepPreviousData,
    queryFn: (): Promise<Review> =>
      "discovery" in offer
        ? ok(
            api.GET("/api/v1/groups/{name}/discoveries/{discovery_id}/diff", {
              params: { path: { name: offer.group, discovery_id: offer.discovery } },
            }),
          )
        : ok(
            api.GET("/api/v1/groups/{name}/releases/{number}/review", {
              params: { path: { name: offer.group, number: offer.release } },
            }),
          ),
  });

export const commentsQuery = (group: string, id: string) =>
  queryOptions({
    queryKey: ["reviews", group, id, "comments"],
    queryFn: () =>
      ok(
        api.GET("/api/v1/groups/{name}/discoveries/{discovery_id}/comments", {
          params: { path: { name: group, discovery_id: id }, query: { limit: 200 } },
        }),
      ),
  });

/** A workflow's entry of a manifest. */
export type Entry = Record<string, unknown> & { name: string; operations?: Operation[] };

/** The entries of both sides by name; null while they load, or where there is none. */
export function useEntries(offer: Offer, review: Review | undefined) {
  const discovery = useQuery({
    ...discoveryQuery(offer.group, "discovery" in offer ? offer.discovery : ""),
    enabled: "discovery" in offer,
  });
  const offered = useQuery({
    ...releaseQuery(offer.group, "release" in offer ? offer.release : 0),
    enabled: "release" in offer,
  });
  const number = review?.release ?? 0;
  const current = useQuery({ ...releaseQuery(offer.group, number), enabled: number > 0 });
  const manifest = discovery.data?.manifest as { workflows?: Entry[] } | null | undefined;
  return {
    before: byName(current.data?.workflows),
    after: "discovery" in offer ? named(manifest?.workflows) : byName(offered.data?.workflows),
  };
}

function byName(rows: Schemas["ReleaseDetail"]["workflows"] | undefined): Map<string, Entry> {
  return new Map((rows ?? []).map((one) => [one.workflow, one.entry as Entry]));
}

function named(entries: Entry[] | undefined): Map<string, Entry> {
  return new Map((entries ?? []).map((one) => [one.name, one]));
}
