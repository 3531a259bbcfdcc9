import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { api } from "@/api/client";
import type { LogPage } from "./queries";
import { useLog } from "./useLog";

type Answer = (page: LogPage) => void;

/** What the server was asked, and how it is answered, in order. */
const asked: Answer[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  asked.length = 0;
  vi.spyOn(api, "GET").mockImplementation(
    () =>
      new Promise((answer) => {
        asked.push((page) =>
          answer({ data: page, response: new Response() } as unknown as Awaited<
            ReturnType<typeof api.GET>
          >),
        );
      }) as never,
  );
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Lines of these numbers, behind which the log goes on. */
function page(...numbers: number[]): LogPage {
  const items = numbers.map((line) => ({ attempt: 1, line, text: `line ${line}` }));
  const next = String((numbers.at(-1) ?? 0) + 1);
  return { items, previous: "0", next, matches: items.length, complete: true } as never;
}

const answer = (at: number, ...numbers: number[]) => act(async () => asked[at]?.(page(...numbers)));
const second = () => act(() => vi.advanceTimersByTimeAsync(1000));

function shown(goesOn: boolean) {
  return renderHook(
    ({ goesOn, find }: { goesOn: boolean; find?: string }) =>
      useLog("r1", goesOn, { q: find }, undefined, true),
    { initialProps: { goesOn } as { goesOn: boolean; find?: string } },
  );
}

it("looks behind the end of the run for what was written last", async () => {
  const { result, rerender } = shown(true);
  await answer(0, 1);
  await second();
  await answer(1); // nothing new, and the run ends before the next look
  rerender({ goesOn: false });
  await second();
  await answer(2, 2, 3);
  expect(result.current.log?.lines.map((one) => one.line)).toEqual([1, 2, 3]);
  await second();
  await answer(3);
  await second();
  expect(asked.length).toBe(4);
});

it("asks for nothing more of a run that had ended before", async () => {
  shown(false);
  await answer(0, 1);
  await second();
  expect(asked.length).toBe(1);
});

it("adds no line of another filter that was asked for before", async () => {
  const { result, rerender } = shown(true);
  await answer(0, 1);
  await second();
  rerender({ goesOn: true, find: "loaded" });
  await answer(2, 7);
  await answer(1, 2);
  expect(result.current.log?.lines.map((one) => one.line)).toEqual([7]);
});
