import { expect, it } from "vitest";
import type { Rule } from "./queries";
import { kindsOf, placeOf } from "./rules";

const rule = {
  kinds: ["failure", "late"],
  group: "flaky",
  workflow: null,
  labels: { team: "data" },
} as unknown as Rule;

it("says of what and about what somebody is told", () => {
  expect(kindsOf(rule)).toBe("failures, late schedules");
  expect(placeOf(rule)).toBe("flaky, team=data");
  expect(placeOf({ ...rule, group: null, labels: {} })).toBe("everything");
});
