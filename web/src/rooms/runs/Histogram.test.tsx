import { render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { dragAtOnce } from "@/test/hand";
import type { Bar } from "./bars";
import { Plot } from "./Histogram";

const hour = (of: number) => `2026-11-26T${String(of).padStart(2, "0")}:00:00Z`;
const BARS: Bar[] = Array.from({ length: 10 }, (_, at) => ({
  at: hour(at),
  until: hour(at + 1),
  counts: { succeeded: 1 },
  total: 1,
}));

it("takes all that was dragged over, also before any of it is drawn", () => {
  const onSpan = vi.fn();
  render(<Plot bars={BARS} hover={null} onHover={vi.fn()} onSpan={onSpan} />);
  dragAtOnce(screen.getByRole("img"), 35, 55, 75);
  expect(onSpan).toHaveBeenCalledExactlyOnceWith(hour(3), hour(8));
});
