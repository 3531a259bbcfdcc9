import { MantineProvider } from "@mantine/core";
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { QueryBar } from "./QueryBar";

/** A bar of this query, which it still shows when the query has been changed. */
function shown(value: string): () => string {
  let query = value;
  render(
    <MantineProvider>
      <QueryBar
        value={value}
        onChange={(change) => {
          query = change(query);
        }}
        complete={async () => []}
        label="Query"
        placeholder=""
      />
    </MantineProvider>,
  );
  return () => query;
}

const field = () => screen.getByLabelText("Query");
const write = (value: string) => fireEvent.change(field(), { target: { value } });

it("takes a second clause before the first is in the address", () => {
  const query = shown("");
  for (const clause of ["state:failed", "group:mill"]) {
    write(clause);
    fireEvent.keyDown(field(), { key: "Enter" });
  }
  expect(query()).toBe("state:failed group:mill");
});

it("keeps what was being written when a clause is taken out", () => {
  const query = shown("state:failed group:mill");
  write("label:x");
  fireEvent.blur(field());
  fireEvent.click(screen.getByRole("button", { name: /Remove state:failed/ }));
  expect(query()).toBe("group:mill label:x");
});
