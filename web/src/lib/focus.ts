/** The focus goes back to where it was when what took it is closed. */

import { type RefObject, useEffect, useLayoutEffect, useRef } from "react";

/** What the dialog that closed last was opened from: another may open in its place at once. */
let last: HTMLElement | null = null;

/** While `open`, remembers what had the focus before; then gives it back, unless it has moved on. */
export function useFocusBack(open = true): void {
  useEffect(() => {
    if (!open) return;
    const before = opener();
    return () => {
      last = before;
      giveBack(before, () => {
        last = null;
      });
    };
  }, [open]);
}

/** For a button that cannot hold the focus while it is busy: it has it again afterwards. */
export function useFocusKept(busy: boolean): RefObject<HTMLButtonElement | null> {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    // The browser takes the focus off what is disabled only when it draws.
    if (!busy || document.activeElement !== button.current) return;
    return () => {
      window.setTimeout(() => {
        const now = document.activeElement;
        if (now === document.body || now === null) button.current?.focus({ preventScroll: true });
      });
    };
  }, [busy]);
  return button;
}

/** Once what has the focus now is closed; `then` also where the focus has moved on by itself. */
export function giveBack(before: HTMLElement | null, then?: () => void): void {
  const held = document.activeElement;
  window.setTimeout(() => {
    const now = document.activeElement;
    if (now === document.body || now === held) giveTo(before);
    then?.();
  });
}

/** An item of a menu is gone when the menu has closed; its button is there. */
function opener(): HTMLElement | null {
  const active = document.activeElement;
  if (!(active instanceof HTMLElement) || active === document.body) return last;
  const menu = active.closest("[role='menu']")?.getAttribute("aria-labelledby");
  return menu ? document.getElementById(menu) : active;
}

/** Where it is gone, too, the page has the focus: never nothing. */
function giveTo(before: HTMLElement | null): void {
  const there = before?.isConnected && before.getClientRects().length > 0 ? before : null;
  (there ?? document.querySelector<HTMLElement>("#page"))?.focus({ preventScroll: true });
}
