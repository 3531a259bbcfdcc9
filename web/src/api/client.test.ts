import { expect, it } from "vitest";
import { follow, wouldSend } from "./client";

const action = { label: "", command: "", body: {} };

it("follows an action of the server with its body and the reason", async () => {
  const path = "/runs/1";
  const body = { priority: "urgent" };
  const act = () => follow({ ...action, method: "PATCH", path, body }, "it is late");
  const sent = { priority: "urgent", reason: "it is late" };
  expect(await wouldSend(act)).toEqual({ method: "PATCH", path, body: sent });
});

it("says why it takes something back in the address, which may name the thing there too", async () => {
  const path = "/controls?kind=pause&key=a%2Fb";
  const act = (reason: string) => () => follow({ ...action, method: "DELETE", path }, reason);
  const sent = { method: "DELETE", body: undefined };
  expect(await wouldSend(act(""))).toEqual({ ...sent, path });
  expect(await wouldSend(act("it is over"))).toEqual({
    ...sent,
    path: `${path}&reason=it%20is%20over`,
  });
});
