import { describe, expect, it } from "vitest";
import { align, renamesOf } from "./operations";

const named = (...names: string[]) => names.map((name, at) => ({ name, order: at + 1 }));
const shown = (pairs: ReturnType<typeof align>) =>
  pairs.map((one) => `${one.fate} ${one.before?.name ?? "-"} ${one.after?.name ?? "-"}`);

describe("aligned operations", () => {
  it("of one list are the same, whatever their number in it", () => {
    expect(shown(align(named("a", "b"), named("b"), new Map()))).toEqual([
      "removed a -",
      "same b b",
    ]);
  });

  it("keep what is gone at its place", () => {
    expect(shown(align(named("a", "b", "c"), named("a", "c", "d"), new Map()))).toEqual([
      "same a a",
      "removed b -",
      "same c c",
      "added - d",
    ]);
  });

  it("tell what has moved before another", () => {
    expect(shown(align(named("a", "b"), named("b", "a"), new Map()))).toEqual([
      "same b b",
      "moved a a",
    ]);
  });

  it("follow the renames of the server", () => {
    const changes = [
      { kind: "renamed", path: "/workflows/w/operations/new/name", before: "old", after: "new" },
      { kind: "renamed", path: "/workflows/w/name", before: "v", after: "w" },
    ];
    expect(shown(align(named("old"), named("new"), renamesOf(changes)))).toEqual([
      "renamed old new",
    ]);
  });

  it("are changed where anything but their number is another", () => {
    const pairs = align([{ name: "a", retries: 1 }], [{ name: "a", retries: 2 }], new Map());
    expect(shown(pairs)).toEqual(["changed a a"]);
  });
});
