import { MantineProvider } from "@mantine/core";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { DataTable } from "./DataTable";

const ROWS = ["ada", "bob", "cleo"].map((name) => ({ name }));
const COLUMNS = [{ key: "name", header: "Name", cell: (one: { name: string }) => one.name }];

function shown(onOpen?: (row: { name: string }) => void) {
  render(
    <DataTable
      label="People"
      columns={COLUMNS}
      rows={ROWS}
      rowId={(one) => one.name}
      onOpen={onOpen}
    />,
  );
  return ROWS.map(({ name }) => screen.getByRole("row", { name }));
}

/** A key, where the focus is. */
const press = (key: string) => fireEvent.keyDown(document.activeElement ?? document, { key });

Element.prototype.scrollIntoView ??= () => undefined; // jsdom lays nothing out
afterEach(cleanup);

describe("the rows of a table that open", () => {
  it("are one stop of the Tab key", () => {
    expect(shown(() => undefined).map((row) => row.tabIndex)).toEqual([0, -1, -1]);
  });

  it("are gone through with the arrows, and opened with Enter", () => {
    const open = vi.fn();
    const [first, , last] = shown(open);
    first?.focus();
    press("ArrowDown");
    press("Enter");
    expect(open).toHaveBeenLastCalledWith({ name: "bob" });
    press("End");
    expect(document.activeElement).toBe(last);
    expect(last?.tabIndex).toBe(0);
    press("ArrowDown");
    expect(document.activeElement).toBe(last);
    press("Home");
    press("Enter");
    expect(open).toHaveBeenLastCalledWith({ name: "ada" });
  });

  it("take the focus with j, unless something else has it", () => {
    const [first, second] = shown(() => undefined);
    press("j");
    expect(document.activeElement).toBe(first);
    press("j");
    expect(document.activeElement).toBe(second);
    const elsewhere = document.body.appendChild(document.createElement("button"));
    elsewhere.focus();
    press("k");
    expect(document.activeElement).toBe(elsewhere);
    elsewhere.remove();
  });
});

it("rows that do not open are no stop", () => {
  expect(shown().map((row) => row.hasAttribute("tabindex"))).toEqual([false, false, false]);
});

describe("the button for more", () => {
  afterEach(() => void vi.unstubAllGlobals());

  it("loads page after page as long as it is in sight, however soon they come", () => {
    vi.stubGlobal(
      "IntersectionObserver",
      class {
        constructor(private readonly seen: (all: object[]) => void) {}
        observe = () => this.seen([{ isIntersecting: true }]);
        disconnect = () => undefined;
      },
    );
    const load = vi.fn();
    const table = (count: number) => (
      <MantineProvider>
        <DataTable
          label="People"
          columns={COLUMNS}
          rows={ROWS.slice(0, count)}
          rowId={(one) => one.name}
          more={{ there: true, loading: false, load }}
        />
      </MantineProvider>
    );
    const { rerender } = render(table(1));
    rerender(table(2));
    rerender(table(2));
    rerender(table(3));
    expect(load).toHaveBeenCalledTimes(3);
  });
});

it("shows beside an open drawer only the columns that fit there", () => {
  const columns = [
    {
      key: "name",
      header: "Name",
      beside: true as const,
      cell: (one: { name: string }) => one.name,
    },
    { key: "length", header: "Length", cell: (one: { name: string }) => one.name.length },
  ];
  const table = (current?: string) => (
    <DataTable
      label="People"
      columns={columns}
      rows={ROWS}
      rowId={(one) => one.name}
      current={current}
    />
  );
  const { rerender } = render(table());
  expect(screen.getAllByRole("columnheader")).toHaveLength(2);
  rerender(table("ada"));
  expect(screen.getAllByRole("columnheader").map((one) => one.textContent)).toEqual(["Name"]);
});
