/** One clock for all that counts: a tick per second for the whole page, none while hidden. */

import { useSyncExternalStore } from "react";

let now = Date.now();
let timer: number | undefined;
const listeners = new Set<() => void>();

function tick(): void {
  now = Date.now();
  for (const listener of listeners) listener();
}

function run(): void {
  const wanted = listeners.size > 0 && !document.hidden;
  if (wanted && timer === undefined) {
    timer = window.setInterval(tick, 1000);
    tick();
  } else if (!wanted && timer !== undefined) {
    window.clearInterval(timer);
    timer = undefined;
  }
}

document.addEventListener("visibilitychange", run);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  run();
  return () => {
    listeners.delete(listener);
    run();
  };
}

/** Milliseconds since the epoch, renewed each second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

const still = (): (() => void) => () => undefined;

/** As `useNow`, but only while `counts`; else the instant of the first call. */
export function useNowWhile(counts: boolean): number {
  return useSyncExternalStore(counts ? subscribe : still, () => now);
}
