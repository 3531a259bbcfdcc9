import { describe, expect, it } from "vitest";
import { bundleOf, withoutSecrets } from "./bundle";

describe("a support bundle", () => {
  it("has no secret, wherever a sentence may have one", () => {
    for (const [text, secret] of [
      ["Cannot reach postgresql://app:hunter2@db/stepwell", "hunter2"],
      ["The token sw_0123456789abcdef is refused.", "0123456789abcdef"],
      ["password=hunter2 is wrong", "hunter2"],
    ] as const) {
      expect(withoutSecrets(text)).not.toContain(secret);
    }
  });

  it("says what this server is", () => {
    const health = {
      status: "ok" as const,
      version: "1.2.3",
      parts: [{ name: "scheduler", state: "ok" as const, sentence: "It is on time." }],
    };
    const made = bundleOf(health, undefined, "production", "server");
    expect(made.version).toBe("1.2.3");
    expect(made.parts[0]?.sentence).toBe("It is on time.");
  });
});
