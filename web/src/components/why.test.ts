import { expect, it } from "vitest";
import { asks, isAnswer, screenOf } from "./why";

it("knows the screen of each thing that can hold a run up", () => {
  expect(screenOf("/runs/1?step=2")).toBe("/runs/1?step=2");
  expect(screenOf("/schedules/1")).toBe("/schedules?schedule=1");
  expect(screenOf("/steps/1")).toBe("/steps?step=1");
  expect(screenOf("/groups/weather")).toBe("/settings?page=groups");
  expect(screenOf("/run-limits")).toBe("/settings?page=limits");
  expect(screenOf("/controls")).toBe("/settings?page=limits");
  expect(screenOf("/health")).toBe("/settings?page=system");
  expect(screenOf("")).toBeNull();
});

it("asks for a reason before it ends something or takes back what somebody has set", () => {
  expect(asks({ method: "DELETE", path: "/schedules/1/pauses" })).toBe(true);
  expect(asks({ method: "POST", path: "/runs/1/cancellations" })).toBe(true);
  expect(asks({ method: "POST", path: "/steps/1/activations" })).toBe(false);
  expect(isAnswer("/runs/1/approvals")).toBe(true);
});
