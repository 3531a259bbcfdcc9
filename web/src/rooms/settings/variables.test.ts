import { describe, expect, it } from "vitest";
import { pairsOf, textOf } from "./variables";

describe("variables, as people write them", () => {
  it("are a name and a value a line, and the value may hold what it likes", () => {
    const { values, bad } = pairsOf("A=1\n\n  B=x=y  ");
    expect(values).toEqual({ A: "1", B: "x=y" });
    expect(bad).toBeNull();
    expect(pairsOf(textOf(values)).values).toEqual(values);
  });

  it("are refused by the line that is none", () => {
    expect(pairsOf("A=1\nno line").bad).toBe("no line");
    expect(pairsOf("1A=1").bad).toBe("1A=1");
  });

  it("of secrets are references only", () => {
    expect(pairsOf("KEY=env:API_KEY", true).values).toEqual({ KEY: "env:API_KEY" });
    expect(pairsOf("KEY=hunter2", true).bad).toBe("KEY=hunter2");
  });
});
