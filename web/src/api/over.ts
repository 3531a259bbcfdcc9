/**
 * The session has ended while pages were open. They stay as they are, for somebody may have typed
 * in them; what they ask waits until somebody has signed in again.
 */

import { useSyncExternalStore } from "react";

export class Over {
  private wait: { again: Promise<true>; go: () => void } | null = null;
  private readonly listeners = new Set<() => void>();

  readonly there = (): boolean => this.wait !== null;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** It is over; true as soon as there is another. */
  again(): Promise<true> {
    if (this.wait === null) {
      let go: () => void = () => undefined;
      const again = new Promise<true>((resolve) => {
        go = () => resolve(true);
      });
      this.wait = { again, go };
      this.tell();
    }
    return this.wait.again;
  }

  /** There is another: what waits goes on. */
  end(): void {
    const { go } = this.wait ?? {};
    this.wait = null;
    this.tell();
    go?.();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

export const over = new Over();

export function useOver(): boolean {
  return useSyncExternalStore(over.subscribe, over.there);
}
