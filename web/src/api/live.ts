/**
 * What changes, as it changes: one stream of server-sent events per tab.
 *
 * A message says which thing of a topic has changed and what its new state is; it patches
 * the query cache or marks what is in it as stale. The stream ends while the tab is hidden
 * or live is paused; whatever was missed then is fetched again. So is, when it begins, what
 * the page had fetched before: nobody told of what changed in between.
 */

import type { QueryClient, QueryFilters } from "@tanstack/react-query";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { apiAddress } from "@/lib/page";
import { queryClient } from "./query";

export const TOPICS = [
  "runs",
  "schedules",
  "groups",
  "discoveries",
  "reviews",
  "reports",
  "state",
  "bulk",
] as const;
export type Topic = (typeof TOPICS)[number];

export interface Change {
  topic: Topic;
  /** The new state, or what was done. */
  what: string;
  id: string;
  at: string;
  group?: string;
}

export type Link = "connecting" | "live" | "paused" | "hidden" | "broken";

export interface LiveState {
  link: Link;
  /** When something last came in, or was fetched. */
  updatedAt: number;
}

/** Which queries a change of a topic makes stale, by the first part of their keys. */
export const STALE: Record<Topic, readonly string[]> = {
  runs: ["summary", "causes", "run"],
  schedules: ["schedules", "summary"],
  groups: ["groups", "workflows", "reviews"],
  discoveries: ["discoveries", "reviews", "groups"],
  reviews: ["reviews", "groups", "workflows", "summary"],
  reports: ["reports"],
  state: ["state"],
  bulk: ["bulk"],
};

const TOLD: ReadonlySet<unknown> = new Set(["runs", ...Object.values(STALE).flat()]);

type Heard = (change: Change) => void;

export class Live {
  private source: EventSource | null = null;
  private state: LiveState = { link: "connecting", updatedAt: Date.now() };
  private paused = false;
  private started = false;
  private missed = false;
  private begun = false;
  private readonly listeners = new Set<() => void>();
  private readonly heard = new Map<Topic, Set<Heard>>();
  private readonly stale = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `every`: at most so often, in milliseconds, are stale queries fetched again. */
  constructor(
    private readonly client: QueryClient,
    private readonly open: (url: string) => EventSource = (url) => new EventSource(url),
    private readonly every = 1000,
  ) {}

  start(): void {
    if (this.started) return;
    this.started = true;
    document.addEventListener("visibilitychange", this.look);
    this.look();
  }

  stop(): void {
    this.started = false;
    document.removeEventListener("visibilitychange", this.look);
    this.close("connecting");
  }

  pause(paused: boolean): void {
    this.paused = paused;
    this.look();
  }

  /** Fetch everything that is shown again. */
  refresh(): void {
    this.missed = false;
    this.set({ updatedAt: Date.now() });
    this.again({});
  }

  on(topic: Topic, act: Heard): () => void {
    const found = this.heard.get(topic) ?? new Set();
    this.heard.set(topic, found);
    found.add(act);
    return () => found.delete(act);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): LiveState => this.state;

  private readonly look = (): void => {
    const wanted = this.started && !this.paused && !document.hidden;
    if (!wanted) this.close(this.paused ? "paused" : "hidden");
    else if (this.source === null) this.connect();
  };

  private connect(): void {
    const source = this.open(apiAddress("/events"));
    this.source = source;
    this.set({ link: "connecting" });
    source.addEventListener("ready", () => {
      this.set({ link: "live" });
      if (this.missed) this.refresh();
      else if (!this.begun) this.catchUp();
      this.begun = true;
    });
    source.addEventListener("gap", () => this.refresh());
    source.addEventListener("error", () => {
      // The browser comes back by itself and says where it was, unless it was refused.
      // It says nothing of where it was if it has not heard of anything yet.
      const refused = source.readyState === 2;
      this.missed = true;
      this.set({ link: "broken" });
      if (!refused) return;
      this.close("broken");
      setTimeout(this.look, 5000);
    });
    for (const topic of TOPICS) {
      source.addEventListener(topic, (event) => this.receive((event as MessageEvent).data));
    }
  }

  private catchUp(): void {
    this.again({ predicate: (one) => TOLD.has(one.queryKey[0]) });
  }

  private close(link: Link): void {
    if (this.source !== null) this.missed = true;
    this.source?.close();
    this.source = null;
    this.set({ link });
  }

  private receive(data: string): void {
    const change = JSON.parse(data) as Change;
    this.set({ link: "live", updatedAt: Date.now() });
    for (const act of this.heard.get(change.topic) ?? []) act(change);
    for (const key of STALE[change.topic] ?? []) {
      this.stale.add(key === "run" ? `run ${change.id}` : key);
    }
    this.timer ??= setTimeout(() => this.flush(), this.every);
  }

  private flush(): void {
    this.timer = undefined;
    for (const key of this.stale) this.again({ queryKey: key.split(" ") });
    this.stale.clear();
  }

  /**
   * Fetches these again. One that is on its way for the first time is not begun anew by that, and
   * its answer may be older than the change: it is fetched again when it has come.
   */
  private again(which: QueryFilters): void {
    const begun = this.client.getQueryCache().findAll({ ...which, fetchStatus: "fetching" });
    void this.client.invalidateQueries(which);
    for (const { state, promise, queryKey } of begun) {
      if (state.data !== undefined) continue;
      const anew = () => this.client.invalidateQueries({ queryKey, exact: true });
      promise?.then(anew, () => undefined);
    }
  }

  private set(change: Partial<LiveState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}

/** The one stream of this tab; the shell starts it. */
export const live = new Live(queryClient);

export function useLiveState(): LiveState {
  return useSyncExternalStore(live.subscribe, live.snapshot);
}

/** Hear of each change of a topic while the component is there. */
export function useLive(topic: Topic, act: Heard): void {
  const current = useRef(act);
  current.current = act;
  useEffect(() => live.on(topic, (change) => current.current(change)), [topic]);
}
