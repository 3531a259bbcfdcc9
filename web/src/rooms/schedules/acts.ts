/** What can be done to one schedule or to many, one after the other. */

import { api, ok, Withheld } from "@/api/client";
import { asApiError } from "@/api/error";
import type { Item, Lane } from "./marks";
import { placeOf } from "./queries";

export interface Outcome {
  done: number;
  failed: { place: string; what: string }[];
}

type Target = Pick<Lane, "schedule_id" | "group" | "workflow" | "name">;

/** So many requests are under way at once. */
const AT_ONCE = 4;

/** Do it with each; what fails is told at the end, and the others go on. */
export async function each<T extends Target>(
  targets: readonly T[],
  act: (target: T) => Promise<unknown>,
  told: (done: number) => void = () => undefined,
): Promise<Outcome> {
  const outcome: Outcome = { done: 0, failed: [] };
  const left = [...targets];
  let looked: Withheld | undefined;
  async function worker(): Promise<void> {
    for (let target = left.shift(); target !== undefined; target = left.shift()) {
      try {
        await act(target);
        outcome.done += 1;
      } catch (error) {
        if (error instanceof Withheld) looked = error;
        outcome.failed.push({ place: placeOf(target), what: asApiError(error).what });
      }
      told(outcome.done + outcome.failed.length);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (looked !== undefined) throw looked;
  return outcome;
}

const of = (target: Target) => ({ path: { schedule_id: target.schedule_id } });

export const pause = (target: Target, reason: string, until: string | null) =>
  ok(
    api.POST("/api/v1/schedules/{schedule_id}/pauses", {
      params: of(target),
      body: { reason, until },
    }),
  );

export const resume = (target: Target, reason: string) =>
  ok(
    api.DELETE("/api/v1/schedules/{schedule_id}/pauses", {
      params: { ...of(target), query: { reason } },
    }),
  );

export const runNow = (target: Target) =>
  ok(api.POST("/api/v1/schedules/{schedule_id}/runs", { params: of(target), body: {} }));

export const skipNext = (target: Target, reason: string) =>
  ok(
    api.POST("/api/v1/schedules/{schedule_id}/skips", {
      params: of(target),
      body: { count: 1, reason },
    }),
  );

export const endSkips = (target: Target, reason: string) =>
  ok(
    api.DELETE("/api/v1/schedules/{schedule_id}/skips", {
      params: { ...of(target), query: { reason } },
    }),
  );

export const remove = (target: Target, reason: string) =>
  ok(
    api.DELETE("/api/v1/schedules/{schedule_id}", {
      params: { ...of(target), query: { reason } },
    }),
  );

export const endOverride = (target: Target, reason: string) =>
  ok(
    api.DELETE("/api/v1/schedules/{schedule_id}/override", {
      params: { ...of(target), query: { reason } },
    }),
  );

export const fire = (target: Target, due: string, reason: string) =>
  ok(
    api.POST("/api/v1/schedules/{schedule_id}/fires", {
      params: of(target),
      body: { due_at: due, reason: reason || null },
    }),
  );

/** What can be done on a strip. */
export interface StripActs {
  /** Run one fire that did not run. */
  onFire: (lane: Lane, item: Item) => void;
  onBackfill: (lane: Lane, begin: number, end: number) => void;
  /** Look closer at a span. */
  onZoom: (begin: number, end: number) => void;
}
