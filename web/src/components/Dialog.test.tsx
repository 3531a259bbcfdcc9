import { MantineProvider } from "@mantine/core";
import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Dialog } from "./Dialog";

beforeEach(() => {
  vi.useFakeTimers();
  // A machine that has other things to do than to draw.
  vi.stubGlobal("requestAnimationFrame", (draw: () => void) => setTimeout(draw, 100));
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it("begins in its first field, however late it is drawn", async () => {
  const dialog = (opened: boolean) => (
    <MantineProvider>
      <Dialog opened={opened} onClose={vi.fn()} title="New user">
        <input aria-label="Name" />
      </Dialog>
    </MantineProvider>
  );
  const { rerender } = render(dialog(false));
  rerender(dialog(true));
  await act(() => vi.advanceTimersByTimeAsync(1000));
  expect(document.activeElement).toBe(screen.getByLabelText("Name"));
});
