import { renderHook } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { useLastLook } from "./useLastLook";

it("looks once more when it has ended, and not at what had ended before", () => {
  const fetch = vi.fn();
  const { rerender } = renderHook((goesOn: boolean) => useLastLook(goesOn, fetch), {
    initialProps: false,
  });
  rerender(true);
  expect(fetch).not.toHaveBeenCalled();
  rerender(false);
  rerender(false);
  expect(fetch).toHaveBeenCalledOnce();
});
