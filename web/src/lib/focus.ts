/** The focus goes back to where it was when what took it is closed. */

import { type RefObject, useLayoutEffect, useRef } from "react";

/** What the dialog that closed last was opened from: another may open in its place at once. */
let last: HTMLElement | null = null;

/** What is open now, the newest last: where each gives the focus, the second best after the first. */
const open: (HTMLElement | null)[][] = [];

/**
 * While `opened`, remembers what had the focus before; then gives it back, unless it has moved on.
 * What was opened from here and is still there, as a secret is after its dialog, keeps the focus
 * and gives it back in this one's stead.
 */
export function useFocusBack(opened = true): void {
  // Before it is drawn: what a panel covers on a phone is hidden then, and has lost the focus.
  useLayoutEffect(() => {
    if (!opened) return;
    const before = [opener()];
    open.push(before);
    return () => {
      const at = open.indexOf(before);
      open.splice(at, 1);
      const above = open[at];
      if (above !== undefined) {
        above.push(...before);
        return;
      }
      last = before.find(isThere) ?? null;
      giveBack(before, () => {
        last = null;
      });
    };
  }, [opened]);
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
export function giveBack(before: readonly (HTMLElement | null)[], then?: () => void): void {
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

/** Where all of them are gone, the page has the focus: never nothing. */
function giveTo(before: readonly (HTMLElement | null)[]): void {
  const there = before.find(isThere) ?? document.querySelector<HTMLElement>("#page");
  there?.focus({ preventScroll: true });
}

function isThere(one: HTMLElement | null): one is HTMLElement {
  return one?.isConnected === true && one.getClientRects().length > 0;
}
