import { MantineProvider } from "@mantine/core";
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { ColumnsMenu } from "./ColumnsMenu";
import type { ColumnKey } from "./columns";

it("takes a second column before the first is in the address", async () => {
  let keys: ColumnKey[] = ["state", "workflow"];
  render(
    <MantineProvider env="test">
      <ColumnsMenu
        keys={["state", "workflow"]}
        onChange={(change) => {
          keys = change(keys);
        }}
      />
    </MantineProvider>,
  );
  fireEvent.click(screen.getByRole("button", { name: "Columns" }));
  for (const name of ["Attempt", "Image"]) fireEvent.click(await screen.findByLabelText(name));
  expect(keys).toEqual(["state", "workflow", "attempt", "version"]);
});
