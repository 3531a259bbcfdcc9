import { describe, expect, it } from "vitest";
import { bodyOf, choose, chooseRest, commands, inWords, nextOpen } from "./decisions";

const workflows = [
  { workflow: "a", standing: "changed" as const },
  { workflow: "b", standing: "same" as const },
  { workflow: "c", standing: "added" as const },
  { workflow: "d", standing: "removed" as const },
];

describe("choices", () => {
  it("are counted by what they say", () => {
    const choices = {
      a: { choice: "accept" },
      c: { choice: "accept" },
      d: { choice: "reject" },
    } as const;
    expect(inWords(choices)).toBe("2 accepts, 1 reject");
  });

  it("for the rest leave what was said, and what did not change", () => {
    const choices = chooseRest({ a: { choice: "reject" } }, workflows, "accept");
    expect(choices).toEqual({
      a: { choice: "reject" },
      c: { choice: "accept" },
      d: { choice: "accept" },
    });
  });

  it("can be taken back", () => {
    expect(choose({ a: { choice: "hold" } }, "a", null)).toEqual({});
  });

  it("lead to the next one that is open, around the end", () => {
    expect(nextOpen(workflows, "a", {})).toBe("c");
    expect(nextOpen(workflows, "d", { c: { choice: "hold" } })).toBe("a");
  });

  it("are sent without what was not chosen, against the release that was seen", () => {
    const until = "2026-12-01T00:00:00Z";
    expect(bodyOf({ c: { choice: "hold", until } }, null, "")).toEqual({
      decisions: [{ workflow: "c", decision: "hold", until }],
      rest: "hold",
      against_release: 0,
      reason: null,
    });
  });

  it("have a command for each kind", () => {
    expect(
      commands("shop", { a: { choice: "accept" }, d: { choice: "reject" } }, "too early"),
    ).toBe(
      'stepwell groups approve shop a --reason "too early"\n' +
        'stepwell groups reject shop d --reason "too early"',
    );
  });
});
