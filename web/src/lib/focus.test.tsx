import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useFocusBack } from "./focus";

beforeEach(() => {
  vi.useFakeTimers();
  // jsdom lays nothing out; here all that is in the page is seen.
  vi.spyOn(HTMLElement.prototype, "getClientRects").mockReturnValue([{}] as unknown as DOMRectList);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function Opened({ name }: { name: string }) {
  useFocusBack();
  return <input aria-label={name} />;
}

function page(...open: string[]) {
  return (
    <main id="page" tabIndex={-1}>
      <button type="button">New user</button>
      {open.map((name) => (
        <Opened key={name} name={name} />
      ))}
    </main>
  );
}

const settled = () => act(() => vi.runAllTimersAsync());

it("leaves the focus where it is opened next, and gives it back to where all of it began", async () => {
  const { rerender } = render(page());
  const button = screen.getByRole("button");
  button.focus();
  rerender(page("dialog"));
  screen.getByLabelText("dialog").focus();
  rerender(page("dialog", "secret"));
  screen.getByLabelText("secret").focus();
  rerender(page("secret"));
  await settled();
  expect(document.activeElement).toBe(screen.getByLabelText("secret"));
  rerender(page());
  await settled();
  expect(document.activeElement).toBe(button);
});

it("gives the focus back where a dialog follows another at once", async () => {
  const { rerender } = render(page());
  const button = screen.getByRole("button");
  button.focus();
  rerender(page("dialog"));
  screen.getByLabelText("dialog").focus();
  rerender(page("secret"));
  screen.getByLabelText("secret").focus();
  await settled();
  expect(document.activeElement).toBe(screen.getByLabelText("secret"));
  rerender(page());
  await settled();
  expect(document.activeElement).toBe(button);
});
