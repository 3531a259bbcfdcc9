/** What the screen reads of the API. */

import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useInfiniteQuery,
  useQuery,
} from "@tanstack/react-query";
import { api, ok, type Schemas } from "@/api/client";
import { type Found, foundPages, foundRows } from "@/lib/found";

export type Token = Schemas["Token"];
export type Account = Schemas["Account"];
export type LoginSession = Schemas["LoginSession"];
export type Source = Schemas["Source"];
export type SourceImage = Schemas["SourceImage"];
export type Group = Schemas["Group"];
export type Launcher = Schemas["LauncherShown"];
export type Permission = Schemas["ClusterPermission"];
export type RunLimit = Schemas["RunLimit"];
export type Control = Schemas["ControlShown"];
export type Target = Schemas["Target"];
export type Rule = Schemas["Rule"];
export type Delivery = Schemas["Delivery"];
export type Mute = Schemas["NotificationMute"];
export type View = Schemas["View"];
export type Policy = Schemas["Policy"];
export type Entry = Schemas["AuditEntry"];

interface Page<T> {
  items: T[];
  next?: string | null;
}

const LIMIT = 100;

function paged<T>(
  queryKey: readonly unknown[],
  fetch: (page: { cursor?: string; limit: number }) => Promise<Page<T>>,
) {
  return infiniteQueryOptions({
    queryKey,
    placeholderData: keepPreviousData,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Page<T>) => last.next ?? undefined,
    queryFn: ({ pageParam }) => fetch({ cursor: pageParam, limit: LIMIT }),
  });
}

export function usePages<T>(options: ReturnType<typeof paged<T>>): Found<T> {
  return foundPages(useInfiniteQuery(options));
}

function whole<T>(queryKey: readonly unknown[], fetch: () => Promise<{ items: T[] }>) {
  return queryOptions({ queryKey, queryFn: fetch });
}

export function useWhole<T>(options: ReturnType<typeof whole<T>>): Found<T> {
  const found = useQuery(options);
  return foundRows(found, found.data?.items);
}

export const tokensQuery = paged<Token>(["tokens"], (query) =>
  ok(api.GET("/api/v1/tokens", { params: { query } })),
);

export const usersQuery = paged<Account>(["users"], (query) =>
  ok(api.GET("/api/v1/users", { params: { query } })),
);

export const sessionsQuery = paged<LoginSession>(["sessions"], (query) =>
  ok(api.GET("/api/v1/sessions", { params: { query } })),
);

export const sourcesQuery = paged<Source>(["sources", "list"], (query) =>
  ok(api.GET("/api/v1/sources", { params: { query } })),
);

export const imagesQuery = (filter: { source?: string; state?: SourceImage["state"] }) =>
  paged<SourceImage>(["sources", "images", filter], (query) =>
    ok(api.GET("/api/v1/source-images", { params: { query: { ...query, ...filter } } })),
  );

export const groupsQuery = (archived: boolean) =>
  paged<Group>(["groups", "list", archived], (query) =>
    ok(api.GET("/api/v1/groups", { params: { query: { ...query, archived } } })),
  );

export const groupNamesQuery = queryOptions({
  queryKey: ["groups", "names"],
  staleTime: 60_000,
  queryFn: () => ok(api.GET("/api/v1/groups", { params: { query: { limit: 500 } } })),
});

export const launchersQuery = whole<Launcher>(["launchers", "list"], () =>
  ok(api.GET("/api/v1/launchers")),
);

/** The cluster is asked anew: once a visit, and whenever somebody says so. */
export const permissionsQuery = (launcher: string) =>
  queryOptions({
    queryKey: ["launchers", "permissions", launcher],
    staleTime: 60_000,
    retry: false,
    queryFn: () =>
      ok(api.GET("/api/v1/launchers/{launcher}/permissions", { params: { path: { launcher } } })),
  });

export const limitsQuery = whole<RunLimit>(["run-limits"], () => ok(api.GET("/api/v1/run-limits")));

export const controlsQuery = whole<Control>(["controls"], () => ok(api.GET("/api/v1/controls")));

export const queuesQuery = queryOptions({
  queryKey: ["controls", "queues"],
  queryFn: () => ok(api.GET("/api/v1/controls/queues")),
});

export const targetsQuery = paged<Target>(["notifications", "targets"], (query) =>
  ok(api.GET("/api/v1/notifications/targets", { params: { query } })),
);

export const rulesQuery = paged<Rule>(["notifications", "rules"], (query) =>
  ok(api.GET("/api/v1/notifications/rules", { params: { query } })),
);

export const deliveriesQuery = paged<Delivery>(["notifications", "deliveries"], (query) =>
  ok(api.GET("/api/v1/notifications/deliveries", { params: { query: { ...query, limit: 20 } } })),
);

export const mutesQuery = paged<Mute>(["notifications", "mutes"], (query) =>
  ok(api.GET("/api/v1/notifications/mutes", { params: { query } })),
);

export const causesQuery = queryOptions({
  queryKey: ["causes", "settings"],
  queryFn: () => ok(api.GET("/api/v1/causes", { params: { query: { limit: 50 } } })),
});

export const viewsQuery = whole<View>(["views", "settings"], () =>
  ok(api.GET("/api/v1/views", { params: { query: {} } })),
);

export const policiesQuery = whole<Policy>(["retention", "policies"], () =>
  ok(api.GET("/api/v1/retention")),
);

export const prospectsQuery = queryOptions({
  queryKey: ["retention", "preview"],
  queryFn: () => ok(api.GET("/api/v1/retention/preview")),
});

/** What would go of a kind if it were kept for so many days. */
export const shorterQuery = (kind: string, days: number) =>
  queryOptions({
    queryKey: ["retention", "shorter", kind, days],
    queryFn: () =>
      ok(api.GET("/api/v1/retention/preview", { params: { query: { kind: [kind], days } } })),
  });

export interface AuditFilter {
  actor?: string;
  action?: string;
  target?: string;
  address?: string;
  since?: string;
  until?: string;
}

export const auditQuery = (filter: AuditFilter) =>
  paged<Entry>(["audit", filter], (query) =>
    ok(api.GET("/api/v1/audit", { params: { query: { ...query, ...filter } } })),
  );

export const healthQuery = queryOptions({
  queryKey: ["health"],
  refetchInterval: 30_000,
  queryFn: () => ok(api.GET("/api/v1/health")),
});

export const summaryQuery = queryOptions({
  queryKey: ["summary"],
  queryFn: () => ok(api.GET("/api/v1/summary")),
});
