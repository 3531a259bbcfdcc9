import { Badge, Select, TextInput } from "@mantine/core";
import { IconFileAnalytics, IconSearch } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { workflowNamesQuery } from "@/api/workflows";
import { CodeBlock } from "@/components/CodeBlock";
import { CopyAs } from "@/components/CopyAs";
import type { Column } from "@/components/DataTable";
import { Instant } from "@/components/Instant";
import { Listing } from "@/components/Listing";
import { PageHeader } from "@/components/PageHeader";
import { foundPages } from "@/lib/found";
import { writeSearch } from "@/lib/search";
import { bytes } from "@/lib/time";
import { useTyped } from "@/lib/typed";
import { reports as words } from "@/strings/reports";
import { type Filter, type Report, reportsQuery } from "./queries";
import { ReportDrawer } from "./ReportDrawer";
import classes from "./Reports.module.css";

const FROM = "/shell/reports";

interface Row extends Report {
  /** The newest of its workflow and name, among those that are shown. */
  latest: boolean;
}

export function ReportsPage() {
  const { report, ...filter } = useSearch({ from: FROM });
  const navigate = useNavigate({ from: "/reports" });
  const found = useInfiniteQuery(reportsQuery(filter));
  const rows = useMemo(
    () => marked((found.data?.pages ?? []).flatMap((page) => page.items)),
    [found.data],
  );
  const open = (id: string | undefined) =>
    void navigate({ search: (old) => ({ ...old, report: id }), replace: report !== undefined });
  const cli = `stepwell reports list${filter.group === undefined ? "" : ` --group ${filter.group}`}`;
  return (
    <>
      <PageHeader
        title={words.title}
        lead={words.lead}
        actions={<CopyAs call={{ cli, path: `/reports${writeSearch({ ...filter })}` }} />}
      />
      <Filters
        filter={filter}
        onChange={(next) =>
          void navigate({ search: (old) => ({ ...old, ...next }), replace: true })
        }
      />
      <Listing
        found={{ ...foundPages(found), rows }}
        keys
        label={words.title}
        columns={COLUMNS}
        rowId={(one) => one.id}
        rowName={(one) => one.name}
        current={report}
        onOpen={(one) => open(one.id)}
        filtered={Object.keys(filter).length > 0}
        never={{
          title: words.never.title,
          icon: <IconFileAnalytics size={28} />,
          text: (
            <>
              <p>{words.never.text}</p>
              <CodeBlock label="Python">{words.never.code}</CodeBlock>
            </>
          ),
        }}
        nothing={{ title: words.nothing, onClear: () => void navigate({ search: {} }) }}
      />
      {report === undefined ? null : (
        <ReportDrawer key={report} id={report} onClose={() => open(undefined)} />
      )}
    </>
  );
}

/** The newest comes first, so the first of each name is its latest. */
function marked(reports: readonly Report[]): Row[] {
  const seen = new Set<string>();
  return reports.map((one) => {
    const name = `${one.group}/${one.workflow}/${one.name}`;
    const latest = !seen.has(name);
    seen.add(name);
    return { ...one, latest };
  });
}

function Filters({ filter, onChange }: { filter: Filter; onChange: (next: Filter) => void }) {
  const names = useQuery(workflowNamesQuery);
  const typed = useTyped(filter.name ?? "", (name) => onChange({ name: name || undefined }));
  const { group, workflow } = filter;
  return (
    <div className={classes.filters}>
      <Select
        aria-label={words.workflow}
        placeholder={words.allWorkflows}
        clearable
        searchable
        w={260}
        value={group === undefined || workflow === undefined ? null : `${group}/${workflow}`}
        data={(names.data?.items ?? []).map((one) => `${one.group}/${one.workflow}`)}
        onChange={(next) => {
          const [of, name] = (next ?? "").split("/");
          onChange({ group: of || undefined, workflow: name || undefined });
        }}
      />
      <TextInput
        {...typed}
        type="search"
        aria-label={words.name}
        placeholder={words.name}
        leftSection={<IconSearch size={14} />}
      />
    </div>
  );
}

const COLUMNS: Column<Row>[] = [
  {
    key: "name",
    beside: true,
    header: words.columns.name,
    width: "26%",
    card: "head",
    cell: (one) => (
      <span className="sw-row">
        <span className={classes.name}>{one.name}</span>
        {one.latest ? <Badge size="sm">{words.latest}</Badge> : null}
      </span>
    ),
  },
  {
    key: "workflow",
    beside: true,
    header: words.columns.workflow,
    width: "22%",
    cell: (one) => (
      <Link
        to="/workflows/$group/$workflow"
        params={{ group: one.group, workflow: one.workflow }}
        search={{ tab: "reports" }}
      >
        {one.group}/{one.workflow}
      </Link>
    ),
  },
  { key: "operation", header: words.columns.operation, cell: (one) => one.operation },
  { key: "kind", header: words.columns.kind, width: "6.5rem", cell: (one) => one.kind },
  {
    key: "size",
    header: words.columns.size,
    width: "6rem",
    align: "end",
    cell: (one) => bytes(one.size),
  },
  {
    key: "at",
    beside: true,
    header: words.columns.at,
    width: "10rem",
    cell: (one) => <Instant at={one.created_at} />,
  },
];
