import { describe, expect, it } from "vitest";
import { Asked, moved, patched, unseen } from "./patch";
import type { FoundRuns, Run } from "./queries";

const run = (id: string, state: Run["state"] = "running") => ({ id, state }) as Run;
const list = (...ids: string[][]) => ({
  pages: ids.map((page) => ({ items: page.map((id) => run(id)) }) as FoundRuns),
  pageParams: ids.map(() => undefined),
});

describe("a list of runs that changes while it is shown", () => {
  it("takes over the new contents of a run, on whatever page it is", () => {
    const after = patched(list(["a", "b"], ["c"]), run("c", "failed"));
    expect(after?.pages[1]?.items[0]?.state).toBe("failed");
    expect(after?.pages[0]?.items).toHaveLength(2);
  });

  it("stays the same object where nothing of it has changed", () => {
    const before = list(["a"]);
    expect(patched(before, run("z"))).toBe(before);
    expect(moved(before, "a", "running")).toBe(before);
    expect(moved(undefined, "a", "running")).toBeUndefined();
  });

  it("never grows or is put in another order by itself", () => {
    const after = moved(list(["a", "b"]), "b", "succeeded");
    expect(after?.pages[0]?.items.map((one) => one.id)).toEqual(["a", "b"]);
  });

  it("counts what is new of the newest runs", () => {
    expect(unseen(list(["b", "c"], ["d"]), [run("a"), run("b"), run("d")])).toBe(1);
  });
});

describe("answers about runs", () => {
  it("are shown in the order of the questions, whichever comes first", () => {
    const asked = new Asked();
    const [slow, quick] = [asked.begin(["a", "b"]), asked.begin(["a"])];
    expect(asked.takes("a", quick)).toBe(true);
    expect(asked.takes("a", slow)).toBe(false);
    expect(asked.takes("b", slow)).toBe(true);
  });

  it("are not shown where the run has changed since the question", () => {
    const asked = new Asked();
    const turn = asked.begin(["a"]);
    asked.outdate("a");
    expect(asked.takes("a", turn)).toBe(false);
  });
});
