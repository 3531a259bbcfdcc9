/**
 * Which parts of a page could not be fetched again. They show what was there before, and the
 * page says so: what one reads or has half filled in is not taken away by a server that restarts.
 */

import type { Query } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { ApiError } from "./error";

export class Behind {
  private problems: ReadonlyMap<string, ApiError> = new Map();
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** The newest problem, while there is one. */
  readonly problem = (): ApiError | undefined => [...this.problems.values()].at(-1);

  /** Keeps what was found before, unless the answer is that it is not there or not allowed. */
  failed(error: unknown, query: Query<unknown, unknown>): void {
    const down = error instanceof ApiError && (error.passing || error.status >= 500);
    if (!down || query.state.data === undefined) return;
    query.setState({ status: "success", error: null, isInvalidated: true });
    this.set(new Map(this.problems).set(query.queryHash, error));
  }

  /** It was fetched, or nobody looks at it any more. */
  gone({ queryHash }: { queryHash: string }): void {
    if (!this.problems.has(queryHash)) return;
    const rest = new Map(this.problems);
    rest.delete(queryHash);
    this.set(rest);
  }

  private set(problems: ReadonlyMap<string, ApiError>): void {
    this.problems = problems;
    for (const listener of this.listeners) listener();
  }
}

export const behind = new Behind();

export function useBehind(): ApiError | undefined {
  return useSyncExternalStore(behind.subscribe, behind.problem);
}
