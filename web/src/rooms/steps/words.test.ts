import { expect, it } from "vitest";
import { asQuery } from "./words";

it("an old link's fields become the words of a query", () => {
  expect(asQuery({ name_prefix: "v1/shop/", description_contains: "not found" })).toBe(
    'name:v1/shop/* error:"not found"',
  );
  expect(asQuery({ created_from: "2026-05-01T12:00:00Z" })).toBe('since:"2026-05-01T12:00:00Z"');
  expect(asQuery({})).toBe("");
});
