import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { DryRun } from "./DryRun";
import type { RunPlan } from "./queries";

const PLAN: RunPlan = {
  sentence: "Would start 1 Job in the namespace jobs that asks for 0.5 CPU.",
  group: "weather",
  workflow: "nightly",
  release_id: "1",
  digest: "sha256:0",
  launcher: "kubernetes",
  launch: {
    image: "registry/x@sha256:0",
    requests: { cpu: "500m" },
    limits: {},
    notes: ["Its pod runs as the service account etl."],
  },
  parameters: { day: "2026-01-31", limit: 100 },
  operations: ["fetch", "load"],
  approvals: ["load"],
  deadline: 60,
  pool: null,
  limits: {},
  holds: [],
  fails: null,
};

function shown(plan: Partial<RunPlan>): string {
  render(
    <MantineProvider>
      <DryRun plan={{ ...PLAN, ...plan }} />
    </MantineProvider>,
  );
  return screen.getByRole("status").textContent ?? "";
}

it("says what would be started, of what image, with the defaults, and that nothing holds it", () => {
  const text = shown({});
  expect(text).toContain("Would start 1 Job in the namespace jobs");
  expect(text).toContain("registry/x@sha256:0");
  expect(text).toContain("day=2026-01-31 limit=100");
  expect(text).toContain("service account etl");
  expect(text).toContain("Nothing would hold it up.");
});

it("says what it would wait for, and until when", () => {
  const hold = {
    code: "K8S_QUOTA",
    sentence: "The quota *team* is full.",
    changes: "when it ends",
  };
  const text = shown({ holds: [hold] });
  expect(text).toContain("The quota team is full. It goes on when it ends.");
  expect(text).not.toContain("Nothing would hold it up.");
});

it("says why it would fail at once", () => {
  const text = shown({ fails: "The copy is gone.", launch: null });
  expect(text).toContain("It would fail at once");
  expect(text).toContain("The copy is gone.");
});
