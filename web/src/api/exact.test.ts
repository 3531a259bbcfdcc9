import { expect, it, vi } from "vitest";
import { Exact, exactText } from "@/lib/exact";
import { api, ok, wouldSend } from "./client";

const PARAMETERS = '{"order":12345678901234567890,"days":[9007199254740993,2]}';
const params = { path: { run_id: "x" } };

function answers(text: string) {
  const headers = { "Content-Type": "application/json" };
  return vi.fn((_: Request) => Promise.resolve(new Response(text, { headers })));
}

const run = (text: string) =>
  ok(api.GET("/api/v1/runs/{run_id}", { params, fetch: answers(text) }));

it("has whole numbers as the server has them, however long", async () => {
  const text = `{"id":"x","attempt":1,"parameters":${PARAMETERS}}`;
  const found = await run(text);
  expect(exactText(found)).toBe(text);
  expect(found.parameters.order).toBeInstanceOf(Exact);
  expect(found.attempt).toBe(1);
});

it("sends them as they came", async () => {
  const { parameters } = await run(`{"parameters":${PARAMETERS}}`);
  const fetch = answers("{}");
  const path = "/api/v1/runs/{run_id}/repeats";
  await ok(api.POST(path, { params, body: { parameters }, fetch }));
  expect(await fetch.mock.calls[0]?.[0].text()).toBe(`{"parameters":${PARAMETERS}}`);
  const change = await wouldSend(() => ok(api.POST(path, { params, body: { parameters } })));
  expect(exactText(change?.body)).toBe(`{"parameters":${PARAMETERS}}`);
});

it("keeps text of many digits as text", async () => {
  const found = await run('{"parameters":{"said":"12345678901234567890"}}');
  expect(found.parameters).toEqual({ said: "12345678901234567890" });
});
