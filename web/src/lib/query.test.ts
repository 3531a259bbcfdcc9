import { describe, expect, it } from "vitest";
import { clauses, having, quotedValue, valuesOf, without, written } from "./query";

const read = (text: string) => clauses(text).map((one) => [one.key, one.operator, one.values]);

describe("a query", () => {
  it("is words with qualifiers, comparisons and free text", () => {
    expect(read('state:failed,cancelled took>=5m "connection refused"')).toEqual([
      ["state", ":", ["failed", "cancelled"]],
      ["took", ">=", ["5m"]],
      ["", ":", ["connection refused"]],
    ]);
  });

  it("negates, escapes and keeps instants whole", () => {
    const [first, second, third] = clauses(
      '-group:test error:"a \\"b\\", c" since:2026-01-31T06:00',
    );
    expect([first?.negated, first?.key]).toEqual([true, "group"]);
    expect(second?.values).toEqual(['a "b", c']);
    expect(third?.values).toEqual(["2026-01-31T06:00"]);
  });

  it("is read while it is typed: a quote that is open, a key without a value", () => {
    expect(read('error:"conn ref')).toEqual([["error", ":", ["conn ref"]]]);
    expect(read("state:")).toEqual([["state", ":", [""]]]);
  });

  it("is written as it was read", () => {
    const text = 'state:failed -label:team=data "a b" x\\ y';
    expect(written(clauses(text))).toBe(text);
  });

  it("takes a qualifier out, or sets it", () => {
    expect(without("state:failed since:2h nightly", "since", "until")).toBe("state:failed nightly");
    expect(having("state:failed since:2h", "since", "2026-01-31T06:00:00Z")).toBe(
      "state:failed since:2026-01-31T06:00:00Z",
    );
    expect(having("since:2h", "since", null)).toBe("");
    expect(valuesOf("-state:failed state:running", "state")).toEqual(["running"]);
  });

  it("quotes a value that would be read otherwise", () => {
    expect([quotedValue("nightly"), quotedValue("a b"), quotedValue('say "hi"')]).toEqual([
      "nightly",
      '"a b"',
      '"say \\"hi\\""',
    ]);
  });
});
