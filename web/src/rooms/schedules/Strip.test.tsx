import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { dragAtOnce } from "@/test/hand";
import type { Lane } from "./marks";
import { Strip } from "./Strip";

const LANE = {
  schedule_id: "1",
  group: "weather",
  workflow: "nightly",
  name: "default",
  next_due: null,
  notes: [],
  made_up: [],
  observed: { runs: 0, p50: null, p95: null },
  past: [],
  past_cells: [],
  future: [],
  future_cells: [],
  truncated: false,
} as unknown as Lane;

it("takes all that was dragged over, also before any of it is drawn", () => {
  const onBackfill = vi.fn();
  render(
    <MantineProvider>
      <Strip
        lane={LANE}
        scale={{ begin: 0, end: 1000, width: 100 }}
        now={900}
        zone="UTC"
        ticks={[]}
        onFire={vi.fn()}
        onBackfill={onBackfill}
        onZoom={vi.fn()}
      />
    </MantineProvider>,
  );
  dragAtOnce(screen.getByRole("listbox"), 10, 30, 60);
  expect(onBackfill).toHaveBeenCalledExactlyOnceWith(LANE, 100, 600);
});
