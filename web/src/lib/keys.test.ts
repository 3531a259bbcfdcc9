import { describe, expect, it } from "vitest";
import { isField } from "./keys";

function made(html: string): Element | null {
  const box = document.createElement("div");
  box.innerHTML = html;
  return box.firstElementChild;
}

describe("a key does nothing while one writes", () => {
  it.each(["<input>", "<textarea></textarea>", "<select></select>", "<div role=combobox></div>"])(
    "in %s",
    (html) => expect(isField(made(html))).toBe(true),
  );

  it.each(["<input type=radio>", "<input type=checkbox>", "<button></button>"])(
    "but nobody writes in %s: the keys of the page go on",
    (html) => expect(isField(made(html))).toBe(false),
  );
});
