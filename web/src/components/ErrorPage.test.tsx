import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { ApiError } from "@/api/error";
import { ErrorPage } from "./ErrorPage";

const page = (status: number) => (
  <MantineProvider>
    <ErrorPage
      title="flaky/rank-share"
      above={<a href="/workflows">Catalog</a>}
      error={new ApiError({ status, what: "It is not there." })}
      onRetry={vi.fn()}
    />
  </MantineProvider>
);

it("has a title and the way back, and offers another try only of what may be there then", () => {
  const { rerender } = render(page(404));
  expect(document.title).toBe("flaky/rank-share · Stepwell");
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("flaky/rank-share");
  expect(screen.getByRole("link").textContent).toBe("Catalog");
  expect(screen.queryByRole("button")).toBeNull();
  rerender(page(500));
  expect(screen.getByRole("button").textContent).toBe("Try again");
});
