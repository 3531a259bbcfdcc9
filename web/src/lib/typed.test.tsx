import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useTyped } from "./typed";

function Field({ value, send }: { value: string; send: (text: string) => void }) {
  return <input {...useTyped(value, send)} />;
}

const field = () => screen.getByRole<HTMLInputElement>("textbox");
const type = (value: string) => fireEvent.change(field(), { target: { value } });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("keeps the letters that were typed before the address had the ones before them", () => {
  const { rerender } = render(<Field value="" send={vi.fn()} />);
  act(() => field().focus());
  type("ad");
  rerender(<Field value="a" send={vi.fn()} />);
  expect(field().value).toBe("ad");
});

it("sends what was typed once, when the hand rests or goes elsewhere", () => {
  const send = vi.fn();
  render(<Field value="" send={send} />);
  type("a");
  type("ad");
  vi.runAllTimers();
  type("ada ");
  fireEvent.blur(field());
  vi.runAllTimers();
  expect(send.mock.calls).toEqual([["ad"], ["ada"]]);
});

it("takes over what something else has made of the address", () => {
  const { rerender } = render(<Field value="ada" send={vi.fn()} />);
  rerender(<Field value="" send={vi.fn()} />);
  expect(field().value).toBe("");
});
