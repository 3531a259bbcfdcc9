import { expect, it } from "vitest";
import { failureOf } from "./failure";

it("tells the chain of causes apart, the first cause last", () => {
  const line =
    "ConnectionError: no mail server at 127.0.0.1:1025 (after ConnectionRefusedError: [Errno 111] Connection refused)";
  expect(failureOf(line).chain).toEqual([
    "ConnectionError: no mail server at 127.0.0.1:1025",
    "ConnectionRefusedError: [Errno 111] Connection refused",
  ]);
  expect(failureOf("A: x (after B: y (after C: z (1)))").chain).toEqual([
    "A: x",
    "B: y",
    "C: z (1)",
  ]);
  expect(failureOf("ValueError: f(after) failed").chain).toEqual(["ValueError: f(after) failed"]);
});

it("finds the frames with their line of code", () => {
  const found = failureOf(
    "KeyError: 'x'\n  digest/workflows.py:83 in send: mail.send(x)\n  lib/a.py:2 in run\nmore",
  );
  expect(found.frames).toEqual([
    { place: "digest/workflows.py:83 in send", code: "mail.send(x)" },
    { place: "lib/a.py:2 in run", code: "" },
  ]);
  expect(found.rest).toEqual(["more"]);
});
