/** While a page is printed it is light, whatever its theme, and its lists have all their rows. */

import { useSyncExternalStore } from "react";

const SCHEME = "data-mantine-color-scheme";
const listeners = new Set<() => void>();
let printing = false;
let scheme: string | null = null;

function begin(): void {
  if (printing) return;
  scheme = document.documentElement.getAttribute(SCHEME);
  document.documentElement.setAttribute(SCHEME, "light");
  set(true);
}

function end(): void {
  if (!printing) return;
  if (scheme !== null) document.documentElement.setAttribute(SCHEME, scheme);
  set(false);
}

function set(now: boolean): void {
  printing = now;
  for (const listener of listeners) listener();
}

window.addEventListener("beforeprint", begin);
window.addEventListener("afterprint", end);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether the page is being printed. */
export function usePrinting(): boolean {
  return useSyncExternalStore(subscribe, () => printing);
}
