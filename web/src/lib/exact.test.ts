import { describe, expect, it } from "vitest";
import { Exact, exactText, parseExact } from "./exact";

const TEXT =
  '{"id":9007199254740993,"few":7,"part":1.5,"said":"9007199254740993 \\"x\\"","all":[-12345678901234567890,1e3]}';

describe("JSON with whole numbers of any size", () => {
  it("comes back as it was", () => {
    expect(exactText(parseExact(TEXT))).toBe(TEXT.replace("1e3", "1000"));
  });

  it("has what JavaScript keeps as numbers, and text as text", () => {
    const found = parseExact(TEXT) as Record<string, unknown>;
    expect([found.few, found.part, found.said]).toEqual([7, 1.5, '9007199254740993 "x"']);
    expect(String(found.id)).toBe("9007199254740993");
    expect(found.id).toBeInstanceOf(Exact);
  });

  it("throws for what is none, as JSON.parse does", () => {
    expect(() => parseExact('{"id": 9007199254740993')).toThrow();
  });
});
