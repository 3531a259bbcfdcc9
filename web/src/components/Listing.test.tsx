import { MantineProvider } from "@mantine/core";
import {
  keepPreviousData,
  QueryClient,
  QueryClientProvider,
  useQuery,
} from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import { expect, it } from "vitest";
import { foundRows } from "@/lib/found";
import { Listing } from "./Listing";

/** What the server answers to each filter, when it is let. */
const answers = new Map<string, (rows: { id: string }[]) => void>();

function Steps({ filter }: { filter: string }) {
  const found = useQuery({
    queryKey: [filter],
    placeholderData: keepPreviousData,
    queryFn: () => new Promise<{ id: string }[]>((go) => answers.set(filter, go)),
  });
  return (
    <Listing
      label="Steps"
      found={foundRows(found, found.data)}
      columns={[{ key: "id", header: "Id", cell: (one) => one.id }]}
      rowId={(one) => one.id}
      filtered
      never={{ title: "There is no step", text: null }}
      nothing={{ title: "No step fits" }}
    />
  );
}

it("says that the rows are of the filter before, and does not say so of none", async () => {
  const client = new QueryClient();
  const steps = (filter: string) => (
    <MantineProvider>
      <QueryClientProvider client={client}>
        <Steps filter={filter} />
      </QueryClientProvider>
    </MantineProvider>
  );
  const busy = () => screen.getByRole("table").closest("[aria-busy='true']");
  const { rerender } = render(steps("done"));
  answers.get("done")?.([{ id: "one" }]);
  await screen.findByText("one");
  expect(busy()).toBeNull();

  rerender(steps("failed"));
  expect(screen.getByText("one")).toBeTruthy();
  expect(busy()).not.toBeNull();
  await waitFor(() => expect(answers.get("failed")).toBeDefined());
  answers.get("failed")?.([]);
  await screen.findByText("No step fits");

  rerender(steps("ready"));
  expect(screen.getByRole("status")).toBeTruthy();
  expect(screen.queryByText("No step fits")).toBeNull();
  await waitFor(() => expect(answers.get("ready")).toBeDefined());
  answers.get("ready")?.([{ id: "two" }]);
  await screen.findByText("two");
  expect(busy()).toBeNull();
});
