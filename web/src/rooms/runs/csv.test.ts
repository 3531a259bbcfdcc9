import { expect, it } from "vitest";
import { field, toCsv } from "./csv";
import type { Run } from "./queries";

it("quotes what a comma or a line would break", () => {
  expect([field('say "a, b"'), field("two\nlines"), field(null), field({ a: 1 })]).toEqual([
    '"say ""a, b"""',
    '"two\nlines"',
    "",
    '"{""a"":1}"',
  ]);
});

it("never lets text begin like a formula", () => {
  expect(field("=HYPERLINK(1)")).toBe("'=HYPERLINK(1)");
});

it("has a line per run, and one with the names", () => {
  const lines = toCsv([{ id: "1", workflow: "load" } as Run])
    .trimEnd()
    .split("\r\n");
  expect(lines).toHaveLength(2);
  expect(lines[1]?.startsWith("1,,load,")).toBe(true);
});
