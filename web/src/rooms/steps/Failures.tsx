import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { Schemas } from "@/api/client";
import type { Column } from "@/components/DataTable";
import { Instant } from "@/components/Instant";
import { Listing } from "@/components/Listing";
import { foundRows } from "@/lib/found";
import { quotedValue } from "@/lib/query";
import { number } from "@/lib/time";
import { steps as words } from "@/strings/steps";
import { type Filters, failuresQuery } from "./queries";
import classes from "./Steps.module.css";

type Group = Schemas["StepFailures"];

/** Failed steps by how they failed: one row for a cause, however many steps it has hit. */
export function Failures({ filters }: { filters: Filters }) {
  const found = useQuery(failuresQuery(filters));
  const navigate = useNavigate({ from: "/steps" });
  const rows = found.data ?? [];
  return (
    <Listing
      found={foundRows(found, rows)}
      keys
      label={words.failures}
      columns={COLUMNS}
      rowId={(one) => `${one.name} ${one.fingerprint}`}
      onOpen={(one) =>
        void navigate({
          search: {
            status: "failed",
            q: [
              `name:${quotedValue(one.name)}`,
              ...(one.fingerprint ? [`cause:${one.fingerprint}`] : []),
            ].join(" "),
          },
        })
      }
      never={{ title: words.noFailures, text: null }}
    />
  );
}

const COLUMNS: Column<Group>[] = [
  {
    key: "name",
    header: words.columns.name,
    width: "22%",
    card: "head",
    cell: (one) => <span className={classes.name}>{one.name}</span>,
  },
  {
    key: "description",
    card: "sentence",
    header: words.columns.description,
    cell: (one) => <span className="sw-truncate">{one.description}</span>,
  },
  {
    key: "count",
    header: words.columns.count,
    width: "6rem",
    align: "end",
    sort: (one) => one.count,
    cell: (one) => number(one.count),
  },
  {
    key: "last",
    header: words.columns.last,
    width: "9rem",
    sort: (one) => one.last_at,
    cell: (one) => <Instant at={one.last_at} as="ago" />,
  },
];
