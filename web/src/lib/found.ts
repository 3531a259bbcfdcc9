/** What a query has found, as a list shows it. */

import type { InfiniteData, UseInfiniteQueryResult, UseQueryResult } from "@tanstack/react-query";

export interface Found<T> {
  rows: readonly T[];
  loading: boolean;
  error: unknown;
  retry: () => void;
  more?: { there: boolean; loading: boolean; load: () => void };
}

type Asked = Pick<UseQueryResult, "isPending" | "error" | "refetch">;

/** All rows at once, as the caller has taken them out of the answer. */
export function foundRows<T>(query: Asked, rows: readonly T[] | undefined): Found<T> {
  return {
    rows: rows ?? [],
    loading: query.isPending,
    error: query.error,
    retry: () => void query.refetch(),
  };
}

/** Page after page. */
export function foundPages<T>(
  query: UseInfiniteQueryResult<InfiniteData<{ items: T[] }, unknown>>,
): Found<T> {
  return {
    ...foundRows(
      query,
      query.data?.pages.flatMap((page) => page.items),
    ),
    more: {
      there: query.hasNextPage,
      loading: query.isFetchingNextPage,
      load: () => void query.fetchNextPage(),
    },
  };
}
