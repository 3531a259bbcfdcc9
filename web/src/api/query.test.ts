import { QueryObserver } from "@tanstack/react-query";
import { expect, it } from "vitest";
import { behind } from "./behind";
import { ApiError } from "./error";
import { newQueryClient } from "./query";

/** A query that somebody looks at, and that fails from its second answer on. */
async function failing(status: number) {
  const client = newQueryClient();
  let asked = 0;
  const options = {
    queryKey: ["things"],
    retry: false,
    queryFn: async () => {
      asked += 1;
      if (asked > 1) throw new ApiError({ status, what: "It broke." });
      return "what was there";
    },
  };
  const observer = new QueryObserver(client, options);
  const leave = observer.subscribe(() => undefined);
  await client.fetchQuery(options);
  await client.invalidateQueries();
  return { client, observer, leave };
}

it("shows what was there when the server fails later, and says so until nobody looks", async () => {
  const { observer, leave } = await failing(500);
  expect(observer.getCurrentResult()).toMatchObject({ data: "what was there", error: null });
  expect(behind.problem()?.what).toBe("It broke.");
  leave();
  expect(behind.problem()).toBeUndefined();
});

it("is up to date again as soon as the server answers", async () => {
  const { client, leave } = await failing(0);
  expect(behind.problem()).toBeDefined();
  client.setQueryDefaults(["things"], {});
  await client.fetchQuery({ queryKey: ["things"], queryFn: async () => "new" });
  expect(behind.problem()).toBeUndefined();
  leave();
});

it("does not show what is gone, or what one may no longer see", async () => {
  for (const status of [403, 404]) {
    const { observer, leave } = await failing(status);
    expect(observer.getCurrentResult().error).toMatchObject({ status });
    expect(behind.problem()).toBeUndefined();
    leave();
  }
});
