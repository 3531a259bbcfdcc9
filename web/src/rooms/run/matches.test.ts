import { expect, it } from "vitest";
import { run } from "@/strings/run";

it("one line matches, several match, and of part of a log nobody knows", () => {
  expect(run.logs.matches("1", true)).toBe("1 line matches");
  expect(run.logs.matches("1", false)).toBe("1+ lines match");
  expect(run.logs.matches("0", true)).toBe("0 lines match");
});
