import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { useEffect } from "react";

/** Fetches one page after the other until all are there. */
export function useAllPages(
  found: Pick<UseInfiniteQueryResult, "data" | "hasNextPage" | "isFetching" | "fetchNextPage">,
): void {
  const { data, hasNextPage, isFetching, fetchNextPage } = found;
  // With what is there: a page may come so soon that it was never shown to be fetched.
  useEffect(() => {
    if (data !== undefined && hasNextPage && !isFetching) void fetchNextPage();
  }, [data, hasNextPage, isFetching, fetchNextPage]);
}
