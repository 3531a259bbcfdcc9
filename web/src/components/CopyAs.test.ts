import { expect, it } from "vitest";
import { asCurl, asPython, quoted } from "./CopyAs";

const act = {
  cli: "stepwell runs cancel 1",
  method: "POST" as const,
  path: "/runs/1/cancellations",
  body: { reason: "it's late", force: true },
};

it("quotes for a shell only what needs it", () => {
  expect([quoted("runs/1"), quoted("a b"), quoted("it's")]).toEqual([
    "runs/1",
    "'a b'",
    "'it'\\''s'",
  ]);
});

it("writes a curl line that changes something with key and body", () => {
  const line = asCurl(act, "http://localhost:8420");
  expect(line).toContain("-X POST");
  expect(line).toContain("Idempotency-Key");
  expect(line).toContain(`'{"reason":"it'\\''s late","force":true}'`);
  expect(line.endsWith("http://localhost:8420/api/v1/runs/1/cancellations")).toBe(true);
});

it("writes Python's own words into Python", () => {
  expect(asPython(act, "http://x")).toContain('json={"reason":"it\'s late","force":True}');
});

it("leaves in Python what is text as it is", () => {
  const body = { reason: "is it true, or null?", force: true };
  expect(asPython({ ...act, body }, "http://x")).toContain(
    'json={"reason":"is it true, or null?","force":True}',
  );
});
