import { MantineProvider } from "@mantine/core";
import { fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { expect, it, vi } from "vitest";
import { ParameterForm } from "./ParameterForm";

const schema = {
  type: "object",
  properties: { limit: { type: "integer", default: 100 } },
};

function Form({ onSend }: { onSend: (given: unknown) => void }) {
  const [given, setGiven] = useState<Record<string, unknown>>({});
  return (
    <MantineProvider>
      <form aria-label="form" onSubmit={() => onSend(given)}>
        <ParameterForm schema={schema} value={given} onChange={setGiven} />
      </form>
    </MantineProvider>
  );
}

function valid(): boolean {
  return screen.getByRole<HTMLFormElement>("form").checkValidity();
}

it("is not sent while a field holds what cannot be read, for it would go without it", () => {
  render(<Form onSend={vi.fn()} />);
  const box = screen.getByLabelText("limit");
  fireEvent.change(box, { target: { value: "many" } });
  expect(valid()).toBe(false);
  fireEvent.change(box, { target: { value: "7" } });
  expect(valid()).toBe(true);
});

it("is not sent as JSON that is none, for what was given before would go", () => {
  render(<Form onSend={vi.fn()} />);
  fireEvent.click(screen.getByLabelText("JSON"));
  const box = screen.getByRole("textbox");
  fireEvent.change(box, { target: { value: '{"limit": ' } });
  expect(valid()).toBe(false);
  fireEvent.change(box, { target: { value: '{"limit": 7}' } });
  expect(valid()).toBe(true);
});
