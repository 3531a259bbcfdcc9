import { expect, it } from "vitest";
import { edits } from "./input";

it("says what was changed, added and taken out", () => {
  expect(edits({ day: "1", n: 2, same: [1] }, { day: "2", more: true, same: [1] })).toEqual([
    { name: "day", before: "1", after: "2" },
    { name: "n", before: "2", after: "–" },
    { name: "more", before: "–", after: "true" },
  ]);
});
