import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import type { Schemas } from "@/api/client";
import { api, ok } from "@/api/client";
import type { Column } from "@/components/DataTable";
import { Duration } from "@/components/Duration";
import { Instant } from "@/components/Instant";
import { Listing } from "@/components/Listing";
import { StateBadge } from "@/components/StateBadge";
import { foundRows } from "@/lib/found";
import { bytes } from "@/lib/time";
import { workflows as words } from "@/strings/workflows";
import { recentQuery, reportsQuery, schedulesQuery } from "./queries";
import classes from "./Workflows.module.css";

interface Props {
  group: string;
  workflow: string;
}

type Run = Schemas["Run"];
type Scheduled = Schemas["ScheduledPage"]["items"][number];
type Report = Schemas["Report"];

export function Runs({ group, workflow }: Props) {
  const found = useQuery(recentQuery(group, workflow));
  const navigate = useNavigate();
  const rows = found.data?.items ?? [];
  return (
    <>
      <Listing
        found={foundRows(found, rows)}
        keys
        label={words.tabs.runs}
        columns={RUNS}
        rowId={(one) => one.id}
        onOpen={(one) => void navigate({ to: "/runs/$runId", params: { runId: one.id } })}
        never={{ title: words.noRuns, text: null }}
      />
      {rows.length === 0 ? null : (
        <p>
          <Link to="/runs" search={{ q: `group:${group} workflow:${workflow}` }}>
            {words.openRuns}
          </Link>
        </p>
      )}
    </>
  );
}

const RUNS: Column<Run>[] = [
  {
    key: "state",
    header: words.schedules.state,
    width: "9rem",
    card: "head",
    cell: (one) => <StateBadge state={one.superseded_by ? "superseded" : one.state} />,
  },
  {
    key: "started",
    header: words.started,
    width: "12rem",
    cell: (one) => (
      <Link to="/runs/$runId" params={{ runId: one.id }}>
        <Instant at={one.created_at} />
      </Link>
    ),
  },
  {
    key: "took",
    header: words.took,
    width: "7rem",
    align: "end",
    cell: (one) => <Duration since={one.started_at} until={one.finished_at} />,
  },
  { key: "trigger", header: words.requestedBy, width: "12rem", cell: (one) => one.requested_by },
  {
    key: "reason",
    header: words.versions.reason,
    cell: (one) => <span className="sw-truncate">{one.reason ?? ""}</span>,
  },
];

export function Schedules({ group, workflow }: Props) {
  const found = useQuery(schedulesQuery(group, workflow));
  const rows = found.data?.items ?? [];
  return (
    <>
      <Listing
        found={foundRows(found, rows)}
        keys
        label={words.tabs.schedules}
        columns={SCHEDULES}
        rowId={(one) => one.id}
        never={{ title: words.schedules.none, text: null }}
      />
      {rows.length === 0 ? null : (
        <p>
          <Link to="/schedules">{words.schedules.open}</Link>
        </p>
      )}
    </>
  );
}

const SCHEDULES: Column<Scheduled>[] = [
  {
    key: "name",
    header: words.schedules.name,
    width: "20%",
    card: "head",
    cell: (one) => <strong>{one.name}</strong>,
  },
  { key: "when", header: words.schedules.when, cell: (one) => one.description },
  {
    key: "next",
    header: words.schedules.next,
    width: "11rem",
    cell: (one) => <Instant at={one.next_due} as="ago" />,
  },
  {
    key: "state",
    header: words.schedules.state,
    width: "9rem",
    cell: (one) =>
      one.paused_at === null ? (
        words.schedules.active
      ) : (
        <span className={classes.paused}>{words.paused}</span>
      ),
  },
];

export function Reports({ group, workflow }: Props) {
  const found = useQuery(reportsQuery(group, workflow));
  const rows = found.data?.items ?? [];
  return (
    <>
      <Listing
        found={foundRows(found, rows)}
        keys
        label={words.tabs.reports}
        columns={REPORTS}
        rowId={(one) => one.id}
        never={{ title: words.noReports, text: null }}
      />
      {rows.length === 0 ? null : (
        <p>
          <Link to="/reports">{words.openReports}</Link>
        </p>
      )}
    </>
  );
}

const REPORTS: Column<Report>[] = [
  {
    key: "name",
    header: words.report,
    card: "head",
    cell: (one) => (
      <Link
        to="/runs/$runId"
        params={{ runId: one.run_id }}
        search={{ tab: "result", report: one.id }}
      >
        {one.name}
      </Link>
    ),
  },
  { key: "kind", header: words.kind, width: "8rem", cell: (one) => one.kind },
  {
    key: "size",
    header: words.size,
    width: "7rem",
    align: "end",
    cell: (one) => bytes(one.size),
  },
  {
    key: "at",
    header: words.written,
    width: "12rem",
    cell: (one) => <Instant at={one.created_at} />,
  },
];

export function State({ group, workflow }: Props) {
  const found = useQuery({
    queryKey: ["state", "of", group, workflow],
    queryFn: () => ok(api.GET("/api/v1/state", { params: { query: { group, limit: 500 } } })),
  });
  const rows = (found.data?.items ?? []).filter(
    (one) => one.scope === "group" || one.scope.includes(workflow),
  );
  return (
    <>
      <Listing
        found={foundRows(found, rows)}
        keys
        label={words.tabs.state}
        columns={STATE}
        rowId={(one) => `${one.scope} ${one.key}`}
        never={{ title: words.noState, text: null }}
      />
      {rows.length === 0 ? null : (
        <p>
          <Link to="/state">{words.openState}</Link>
        </p>
      )}
    </>
  );
}

type Kept = Schemas["StateEntryPage"]["items"][number];

const STATE: Column<Kept>[] = [
  { key: "key", header: words.key, card: "head", cell: (one) => <code>{one.key}</code> },
  { key: "scope", header: words.scope, width: "16rem", cell: (one) => one.scope },
  {
    key: "version",
    header: words.version,
    width: "6rem",
    align: "end",
    cell: (one) => one.version,
  },
  {
    key: "at",
    header: words.written,
    width: "12rem",
    cell: (one) => <Instant at={one.written_at} />,
  },
];
