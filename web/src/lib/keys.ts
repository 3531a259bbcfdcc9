/**
 * Keys. A screen registers what its keys do with `useKeys`; the newest registration wins, so
 * a drawer's `Esc` comes before the list's. No single letter acts in a field, with a
 * modifier, or where the person has turned keys off.
 */

import { useEffect, useRef } from "react";
import { prefs } from "./prefs";

export type KeyMap = Record<string, (event: KeyboardEvent) => void>;

const maps: { current: KeyMap }[] = [];
/** After `g` the next key within this time is its second half. */
const SEQUENCE = 1200;

interface Pressed {
  pressed: number;
  heard: number;
}

const NEVER: Pressed = { pressed: Number.NEGATIVE_INFINITY, heard: Number.NEGATIVE_INFINITY };
let begun = NEVER;

/** Milliseconds by the hand or by the page: a busy one hears late, of one key or of both. */
function between(one: Pressed, other: Pressed): number {
  return Math.min(other.pressed - one.pressed, other.heard - one.heard);
}

export function isField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    target.matches(
      "input:not([type='radio'], [type='checkbox']), textarea, select, [role='textbox'], [role='combobox']",
    )
  );
}

function action(name: string): ((event: KeyboardEvent) => void) | undefined {
  for (let at = maps.length - 1; at >= 0; at -= 1) {
    const found = maps[at]?.current[name];
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Enter and the arrows belong to the button or menu that has the focus. */
function belongsToControl(event: KeyboardEvent): boolean {
  if (event.key !== "Enter" && event.key !== " ") return false;
  const target = event.target;
  return (
    target instanceof HTMLElement &&
    target.closest("a[href], button, summary, [role='tab'], [role='menuitem']") !== null
  );
}

export function handleKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isField(event.target) || belongsToControl(event)) return;
  if (event.key !== "Escape" && !prefs().keys) return;
  const modal = document.querySelector("[aria-modal='true']");
  if (modal !== null && event.key !== "Escape") return;
  const now = { pressed: event.timeStamp, heard: Date.now() };
  const second = between(begun, now) < SEQUENCE;
  begun = NEVER;
  if (!second && event.key === "g" && !event.shiftKey) {
    begun = now;
    return;
  }
  const found = action(second ? `g ${event.key}` : event.key);
  if (found === undefined) return;
  event.preventDefault();
  found(event);
}

let listening = 0;

/** What keys do as long as this component is there. */
export function useKeys(map: KeyMap, active = true): void {
  const current = useRef(map);
  current.current = map;
  useEffect(() => {
    if (!active) return;
    maps.push(current);
    listening += 1;
    if (listening === 1) document.addEventListener("keydown", handleKey);
    return () => {
      maps.splice(maps.indexOf(current), 1);
      listening -= 1;
      if (listening === 0) document.removeEventListener("keydown", handleKey);
    };
  }, [active]);
}
