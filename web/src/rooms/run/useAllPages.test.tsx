import { renderHook } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { useAllPages } from "./useAllPages";

it("goes on behind a page that came before it was shown to be fetched", () => {
  const fetchNextPage = vi.fn();
  const found = { hasNextPage: true, isFetching: false, fetchNextPage };
  const { rerender } = renderHook((pages: number) => useAllPages({ ...found, data: [pages] }), {
    initialProps: 1,
  });
  rerender(2);
  rerender(3);
  expect(fetchNextPage).toHaveBeenCalledTimes(3);
});

it("asks for nothing while a page is fetched, or behind the last", () => {
  const fetchNextPage = vi.fn();
  const found = { data: [1], fetchNextPage };
  renderHook(() => useAllPages({ ...found, hasNextPage: true, isFetching: true }));
  renderHook(() => useAllPages({ ...found, hasNextPage: false, isFetching: false }));
  expect(fetchNextPage).not.toHaveBeenCalled();
});
