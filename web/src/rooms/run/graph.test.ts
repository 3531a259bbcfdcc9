import { describe, expect, it } from "vitest";
import { chainOf } from "./graph";
import type { RunStep } from "./queries";

const step = (operation: string, ended_as: RunStep["ended_as"] = "done") =>
  ({ id: `s-${operation}`, operation, ended_as, duration: 1, executions: 1 }) as RunStep;

describe("the chain of operations", () => {
  it("has what has not begun too, in the workflow's order", () => {
    const chain = chainOf(["a", "b", "c"], [step("a"), step("b", "failed")]);
    expect(chain.map((one) => [one.name, one.state])).toEqual([
      ["a", "succeeded"],
      ["b", "failed"],
      ["c", "scheduled"],
    ]);
  });

  it("folds what went well above sixty, and keeps what is around a failure", () => {
    const names = Array.from({ length: 200 }, (_, at) => `op${at}`);
    const chain = chainOf(
      names,
      names.map((name) => step(name, name === "op100" ? "failed" : "done")),
    );
    expect(chain.length).toBeLessThan(20);
    expect(chain.some((one) => one.name === "op98" && one.state === "succeeded")).toBe(true);
    expect(chain.reduce((sum, one) => sum + one.count, 0)).toBe(200);
  });
});
