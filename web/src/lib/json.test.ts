import { expect, it } from "vitest";
import { parsedObject } from "./json";

it("is only an object, never a list or half a text", () => {
  expect(parsedObject('{"day": "x"}')).toEqual({ day: "x" });
  expect([parsedObject("[1]"), parsedObject("null"), parsedObject('{"a":')]).toEqual([
    null,
    null,
    null,
  ]);
});
