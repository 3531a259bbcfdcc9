import { afterEach, expect, it, vi } from "vitest";
import { api, ok, whenSignedOut } from "./client";
import { Over } from "./over";

const gone = () => Response.json({ code: "unauthenticated" }, { status: 401 });
const there = () => Response.json({ items: ["one"] });

afterEach(() => vi.unstubAllGlobals());

it("sends again what was asked when the session was over, as soon as there is another", async () => {
  const over = new Over();
  const sent: string[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    sent.push(`${request.method} ${await request.text()}`);
    return sent.length === 1 ? gone() : there();
  });
  whenSignedOut(() => over.again());
  const body = { name: "night", query: "state:failed" };
  const answer = ok(api.POST("/api/v1/views", { body: body as never }));
  await vi.waitFor(() => expect(over.there()).toBe(true));
  expect(sent).toHaveLength(1);
  over.end();
  expect(await answer).toEqual({ items: ["one"] });
  expect(sent[1]).toBe(sent[0]);
  expect(over.there()).toBe(false);
});

it("says that the session is over where no page is open, or the password was wrong", async () => {
  const asked = vi.fn(async () => false);
  whenSignedOut(asked);
  vi.stubGlobal("fetch", async () => gone());
  await expect(ok(api.GET("/api/v1/me"))).rejects.toMatchObject({ status: 401 });
  expect(asked).toHaveBeenCalledExactlyOnceWith(true);
  const body = { name: "anna", password: "wrong" };
  await expect(ok(api.POST("/api/v1/login", { body }))).rejects.toMatchObject({ status: 401 });
  expect(asked).toHaveBeenCalledTimes(1);
});
