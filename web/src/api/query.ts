/** The query cache. Keys begin with the noun of their room: ["runs", …], ["schedules", …]. */

import { QueryCache, QueryClient } from "@tanstack/react-query";
import { behind } from "./behind";
import { ApiError } from "./error";

export function newQueryClient(): QueryClient {
  const queryCache = new QueryCache({
    onError: (error, query) => behind.failed(error, query),
    onSuccess: (_, query) => behind.gone(query),
  });
  queryCache.subscribe(({ type, query }) => {
    if (type === "removed" || (type === "observerRemoved" && !query.isActive())) behind.gone(query);
  });
  return new QueryClient({
    queryCache,
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        refetchOnWindowFocus: false,
        retry: (count, error) => count < 2 && error instanceof ApiError && error.passing,
      },
      mutations: { retry: false },
    },
  });
}

export const queryClient = newQueryClient();
