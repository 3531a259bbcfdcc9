import { expect, it, vi } from "vitest";
import { wouldSend } from "@/api/client";
import { each, resume } from "./acts";

const TARGETS = ["a", "b"].map((name) => ({
  schedule_id: name,
  group: "g",
  workflow: "w",
  name,
}));

it("is only looked at where its first change is: nothing is sent, and nothing is told", async () => {
  const fetch = vi.fn();
  vi.stubGlobal("fetch", fetch);
  const told = vi.fn();
  const change = await wouldSend(() => each(TARGETS, (one) => resume(one, "done")).then(told));
  expect(change).toMatchObject({ method: "DELETE", path: "/schedules/a/pauses?reason=done" });
  expect(fetch).not.toHaveBeenCalled();
  expect(told).not.toHaveBeenCalled();
});
