import { MantineProvider } from "@mantine/core";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, describe, expect, it } from "vitest";
import { NumberField } from "./NumberField";
import type { Bounds } from "./numbers";

let taken: number | "" = 7;

function Form(bounds: Bounds) {
  const [value, setValue] = useState<number | "">(7);
  taken = value;
  return (
    <MantineProvider>
      <form aria-label="form">
        <NumberField label="Days" value={value} onChange={setValue} {...bounds} />
        <button type="button" onClick={() => setValue(90)}>
          default
        </button>
      </form>
    </MantineProvider>
  );
}

function type(text: string, bounds: Bounds): string {
  render(<Form {...bounds} />);
  const box = screen.getByLabelText<HTMLInputElement>("Days");
  fireEvent.change(box, { target: { value: text } });
  fireEvent.blur(box);
  expect(box.value).toBe(text);
  return box.validationMessage;
}

afterEach(cleanup);

describe("a field for a number", () => {
  it.each([
    ["12,5", { min: 1 }, "A whole number is needed."],
    ["12.5", { min: 1 }, "A whole number is needed."],
    ["12,5", { fractions: true }, "Write it with a point: 12.5"],
    ["0", { min: 1, max: 100 }, "From 1 to 100."],
    ["0", { min: 1 }, "At least 1."],
    ["101", { max: 100 }, "At most 100."],
    ["1.000,5", { fractions: true }, "A number is needed."],
    ["a week", {}, "A number is needed."],
    ["", {}, "A number is needed."],
  ] as const)(
    "keeps %j as it was typed, says what is wrong, and is not sent",
    (text, bounds, said) => {
      expect(type(text, bounds)).toBe(said);
      expect(screen.getByText(said)).toBeTruthy();
      expect(screen.getByRole<HTMLFormElement>("form").checkValidity()).toBe(false);
      expect(taken).toBe(7);
    },
  );

  it.each([
    ["12", { min: 1 }, 12],
    ["007", { min: 1 }, 7],
    ["0.5", { fractions: true }, 0.5],
    ["-3", {}, -3],
    ["", { optional: true }, ""],
  ] as const)("takes %j", (text, bounds, value) => {
    expect(type(text, bounds)).toBe("");
    expect(taken).toBe(value);
  });

  it("follows a value that comes from elsewhere", () => {
    type("many", {});
    fireEvent.click(screen.getByText("default"));
    expect(screen.getByLabelText<HTMLInputElement>("Days").value).toBe("90");
  });

  it("goes up and down with the arrows, within its bounds", () => {
    render(<Form min={6} max={8} />);
    const box = screen.getByLabelText("Days");
    const press = (key: string) => fireEvent.keyDown(box, { key });
    for (const key of ["ArrowUp", "ArrowUp"]) press(key);
    expect(taken).toBe(8);
    for (const key of ["ArrowDown", "ArrowDown", "ArrowDown"]) press(key);
    expect(taken).toBe(6);
  });

  it("says nothing where nothing can be typed", () => {
    render(
      <MantineProvider>
        <NumberField label="Days" disabled value="" onChange={() => undefined} />
      </MantineProvider>,
    );
    expect(screen.getByLabelText<HTMLInputElement>("Days").validationMessage).toBe("");
  });
});
