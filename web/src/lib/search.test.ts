import { expect, it } from "vitest";
import { flag, list, oneOf, params, parseSearch, text, whole, writeSearch } from "./search";

const validate = params({
  q: text(20),
  tab: oneOf("logs", "steps"),
  attempt: whole(1),
  table: flag(),
  columns: list(),
});

it("keeps what is valid of a link, and leaves the rest out", () => {
  const search = parseSearch("?q=state%3Afailed&tab=nowhere&attempt=0&table=1&columns=a,b&x=1");
  expect(validate(search)).toEqual({ q: "state:failed", table: true, columns: ["a", "b"] });
});

it("reads back what it wrote, also where text looks like a number", () => {
  const search = { q: "12 > 3 & more", tab: "logs", attempt: 2, columns: ["a", "b"] };
  expect(validate(parseSearch(writeSearch(search)))).toEqual(search);
});

it("writes addresses that can be read", () => {
  expect(writeSearch({ q: "state:failed,cancelled", tab: undefined })).toBe(
    "?q=state:failed,cancelled",
  );
});
