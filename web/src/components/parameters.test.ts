import { describe, expect, it } from "vitest";
import { fieldsOf, read } from "./parameters";

const schema = {
  type: "object",
  required: ["day"],
  properties: {
    day: { type: "string", format: "date" },
    limit: { type: "integer", default: 100 },
    mode: { enum: ["fast", "slow"], default: "fast" },
    level: { enum: [1, 2] },
    tags: { type: "array", items: { type: "string" } },
  },
};

describe("fields of a schema", () => {
  it("have a kind, a default and whether they must be given", () => {
    const found = fieldsOf(schema).map((one) => [one.name, one.kind, one.required, one.fallback]);
    expect(found).toEqual([
      ["day", "date", true, null],
      ["limit", "integer", false, "100"],
      ["mode", "choice", false, "fast"],
      ["level", "choice", false, null],
      ["tags", "json", false, null],
    ]);
  });

  it("are read as what they are", () => {
    const [day, limit, mode, level, tags] = fieldsOf(schema);
    if (!(day && limit && mode && level && tags)) throw new Error("five fields");
    expect(read(day, "2026-01-31")).toBe("2026-01-31");
    expect(read(limit, "12")).toBe(12);
    expect(read(mode, "slow")).toBe("slow");
    expect(read(level, "2")).toBe(2);
    expect(read(tags, '["a"]')).toEqual(["a"]);
    expect(read(limit, "")).toBeUndefined();
    expect(() => read(tags, "[a")).toThrow();
  });

  it("of no schema are none", () => {
    expect(fieldsOf(null)).toEqual([]);
  });
});
