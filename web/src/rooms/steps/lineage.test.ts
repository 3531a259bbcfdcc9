import { describe, expect, it } from "vitest";
import { laidOut } from "./lineage";
import { stateOf } from "./queries";

const node = (id: string) => ({
  id,
  name: id,
  status: "done" as const,
  ended_as: "done" as const,
  claimed_by: null,
  description: null,
  created_at: "2026-11-26T10:00:00Z",
  schedule_time: "2026-11-26T10:00:00Z",
  ended_at: "2026-11-26T10:00:01Z",
  execution_count: 1,
  execution_duration: 0.1,
});

describe("a lineage", () => {
  it("stands with what was earlier above what is later", () => {
    const edges = [
      { earlier: "a", later: "b", kind: "spawned" as const },
      { earlier: "a", later: "b", kind: "awaited" as const },
      { earlier: "a", later: "gone", kind: "copied" as const },
    ];
    const { nodes, edges: drawn } = laidOut([node("b"), node("a")], edges);
    const y = Object.fromEntries(nodes.map((one) => [one.node.id, one.y]));
    expect(y.a).toBeLessThan(y.b ?? 0);
    expect(drawn.map((one) => one.kind)).toEqual(["spawned", "awaited"]);
  });
});

describe("the state of a step", () => {
  const now = Date.parse("2026-11-26T10:00:00Z");
  it("is told by its table, its claim and its time", () => {
    const ready = { ...node("a"), status: "ready" as const, ended_as: null };
    expect(stateOf(ready, now)).toBe("waiting");
    expect(stateOf({ ...ready, schedule_time: "2026-11-26T10:00:05Z" }, now)).toBe("scheduled");
    expect(stateOf({ ...ready, claimed_by: "e" }, now)).toBe("running");
    expect(stateOf({ ...node("a"), ended_as: "skipped" }, now)).toBe("skipped");
    expect(stateOf({ ...node("a"), status: "failed", ended_as: "cancelled" }, now)).toBe(
      "cancelled",
    );
  });
});
