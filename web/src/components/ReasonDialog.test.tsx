import { MantineProvider } from "@mantine/core";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { api, ok } from "@/api/client";
import { copyText } from "@/lib/clipboard";
import { ReasonDialog } from "./ReasonDialog";

vi.mock("@/lib/clipboard", () => ({ copyText: vi.fn(async () => true) }));

it("copies its act as curl and as Python, as it would be sent, and sends nothing", async () => {
  const fetch = vi.fn();
  vi.stubGlobal("fetch", fetch);
  const after = vi.fn();
  render(
    <MantineProvider>
      <ReasonDialog
        opened
        onClose={vi.fn()}
        title="Cancel"
        submit="Cancel it"
        cli={(reason) => `stepwell runs cancel 1 --reason ${reason}`}
        onSubmit={async (reason) => {
          await ok(
            api.POST("/api/v1/runs/{run_id}/cancellations", {
              params: { path: { run_id: "1" } },
              body: { reason, force: true },
            }),
          );
          after();
        }}
      />
    </MantineProvider>,
  );
  fireEvent.change(await screen.findByLabelText(/Reason/), { target: { value: "late" } });
  for (const name of ["curl", "Python"]) {
    fireEvent.click(screen.getByRole("button", { name: `Copy as ${name}` }));
  }
  await waitFor(() => expect(copyText).toHaveBeenCalledTimes(2));
  const [curl, python] = vi.mocked(copyText).mock.calls.map(([text]) => text);
  expect(curl).toContain("-X POST");
  expect(curl).toContain(`'{"reason":"late","force":true}'`);
  expect(curl).toContain("/api/v1/runs/1/cancellations");
  expect(python).toContain('json={"reason":"late","force":True}');
  expect(fetch).not.toHaveBeenCalled();
  expect(after).not.toHaveBeenCalled();
});
