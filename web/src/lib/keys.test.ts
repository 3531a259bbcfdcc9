import { renderHook } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { isField, useKeys } from "./keys";

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

describe("two keys are a sequence", () => {
  afterEach(() => void vi.useRealTimers());

  /** What is opened by g and r, of which each was pressed and is heard at these milliseconds. */
  function opened(g: { pressed: number; heard: number }, r: { pressed: number; heard: number }) {
    vi.useFakeTimers();
    const act = vi.fn();
    const { unmount } = renderHook(() => useKeys({ "g r": act }));
    for (const [key, { pressed, heard }] of [["g", g] as const, ["r", r] as const]) {
      vi.setSystemTime(1_000_000 + heard);
      const event = new KeyboardEvent("keydown", { key, bubbles: true });
      Object.defineProperty(event, "timeStamp", { value: pressed });
      document.body.dispatchEvent(event);
    }
    unmount();
    return act.mock.calls.length;
  }

  it("also where the page is too busy to hear the second soon", () => {
    expect(opened({ pressed: 0, heard: 0 }, { pressed: 300, heard: 5000 })).toBe(1);
  });

  it("also where it is too busy to hear the first", () => {
    expect(opened({ pressed: 0, heard: 5000 }, { pressed: 5000, heard: 5000 })).toBe(1);
  });

  it("but not long behind each other", () => {
    expect(opened({ pressed: 0, heard: 0 }, { pressed: 5000, heard: 5000 })).toBe(0);
  });
});
