/** What a query has found, as a list shows it. */

import type { InfiniteData, UseInfiniteQueryResult, UseQueryResult } from "@tanstack/react-query";

export interface Found<T> {
  rows: readonly T[];
  loading: boolean;
  /** The rows are those of the question before, until the answer is there. */
  former?: boolean;
  error: unknown;
  retry: () => void;
  more?: { there: boolean; loading: boolean; load: () => void };
}

type Asked = Pick<UseQueryResult, "isPending" | "isPlaceholderData" | "error" | "refetch">;

/** All rows at once, as the caller has taken them out of the answer. */
export function foundRows<T>(query: Asked, rows: readonly T[] | undefined): Found<T> {
  const former = query.isPlaceholderData;
  return {
    rows: rows ?? [],
    // That nothing was found before says nothing of this question.
    loading: query.isPending || (former && !rows?.length),
    former,
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
