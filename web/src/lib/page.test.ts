import { afterEach, describe, expect, it } from "vitest";
import { meta } from "./page";

function given(content: string): void {
  document.head.innerHTML = `<meta name="csp-nonce" content="${content}" />`;
}

describe("what the server put into the page", () => {
  afterEach(() => {
    document.head.innerHTML = "";
  });

  it("is read as it is, also a nonce that begins like a placeholder", () => {
    given("__SvplrT9hlqEGN---NjXXBX");
    expect(meta("csp-nonce")).toBe("__SvplrT9hlqEGN---NjXXBX");
  });

  it("is nothing where no server has put anything in", () => {
    given("__CSP_NONCE__");
    expect(meta("csp-nonce")).toBe("");
    expect(meta("base-path")).toBe("");
  });
});
