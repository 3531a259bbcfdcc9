/** The query cache. Keys begin with the noun of their room: ["runs", …], ["schedules", …]. */

import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./error";

export function newQueryClient(): QueryClient {
  return new QueryClient({
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
