import { SegmentedControl } from "@mantine/core";
import { IconStack2 } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { asApiError } from "@/api/error";
import { CodeBlock } from "@/components/CodeBlock";
import { CopyAs, quoted } from "@/components/CopyAs";
import type { Column } from "@/components/DataTable";
import { Instant } from "@/components/Instant";
import { Listing } from "@/components/Listing";
import { PageHeader } from "@/components/PageHeader";
import { QueryBar } from "@/components/QueryBar";
import { StateBadge } from "@/components/StateBadge";
import { foundPages } from "@/lib/found";
import { writeSearch } from "@/lib/search";
import { duration, number } from "@/lib/time";
import { steps as words } from "@/strings/steps";
import { Failures } from "./Failures";
import { complete, countsQuery, type Filters, type Step, stateOf, stepsQuery } from "./queries";
import { StepDrawer } from "./StepDrawer";
import classes from "./Steps.module.css";

const FROM = "/shell/steps";

export function StepsPage() {
  const { step, view, status, q = "" } = useSearch({ from: FROM });
  const navigate = useNavigate({ from: "/steps" });
  const filters: Filters = { q: q || undefined, status };
  const found = useInfiniteQuery(stepsQuery(filters));
  const error = found.error === null ? null : asApiError(found.error);
  const unread = error?.code === "query-invalid";
  const open = (id: string | undefined) =>
    void navigate({ search: (old) => ({ ...old, step: id }), replace: step !== undefined });
  return (
    <>
      <PageHeader
        title={words.title}
        lead={words.lead}
        actions={
          <>
            <SegmentedControl
              aria-label={words.failures}
              value={view ?? "list"}
              onChange={(next) =>
                void navigate({
                  search: (old) => ({ ...old, view: next === "failures" ? next : undefined }),
                })
              }
              data={[
                { value: "list", label: words.list },
                { value: "failures", label: words.failures },
              ]}
            />
            <CopyAs
              call={{ cli: command(filters), path: `/steps${writeSearch({ ...filters })}` }}
            />
          </>
        }
      />
      <QueryBar
        value={q}
        onChange={(change) =>
          void navigate({
            search: (old) => ({ ...old, q: change(old.q ?? "") || undefined, step: undefined }),
          })
        }
        complete={complete}
        label={words.query}
        placeholder={words.placeholder}
        problem={unread ? `${error.what} ${error.why} ${error.fix}` : null}
      />
      <Bar q={filters.q} status={status} />
      {view === "failures" ? (
        <Failures filters={{ q: filters.q }} />
      ) : (
        <Listing
          found={{ ...foundPages(found), ...(unread ? { error: null } : {}) }}
          keys
          label={words.title}
          columns={COLUMNS}
          rowId={(one) => one.id}
          rowName={(one) => one.name}
          current={step}
          onOpen={(one) => open(one.id)}
          filtered={status !== undefined || q !== ""}
          never={{
            title: words.never.title,
            icon: <IconStack2 size={28} />,
            text: (
              <>
                <p>{words.never.text}</p>
                <CodeBlock label="Python">{words.never.code}</CodeBlock>
              </>
            ),
          }}
          nothing={{ title: words.nothing, onClear: () => void navigate({ search: {} }) }}
        />
      )}
      {step === undefined ? null : (
        <StepDrawer key={step} id={step} onShow={open} onClose={() => open(undefined)} />
      )}
    </>
  );
}

/** How many there are per table. */
function Bar({ q, status }: Filters) {
  const navigate = useNavigate({ from: "/steps" });
  const counts = useQuery(countsQuery({ q }));
  const count = (table: "ready" | "done" | "failed") => {
    const of = counts.data;
    if (of === undefined) return "";
    return ` ${number(of[table])}${of.more.includes(table) ? "+" : ""}`;
  };
  return (
    <div className={classes.bar}>
      <SegmentedControl
        aria-label={words.columns.status}
        value={status ?? "all"}
        onChange={(next) =>
          void navigate({
            search: (old) => ({
              ...old,
              status: next === "all" ? undefined : (next as "ready" | "done" | "failed"),
            }),
          })
        }
        data={[
          { value: "all", label: words.status.all },
          ...(["ready", "done", "failed"] as const).map((value) => ({
            value,
            label: `${words.status[value]}${count(value)}`,
          })),
        ]}
      />
    </div>
  );
}

function command({ q, status }: Filters): string {
  const query = q === undefined ? "" : ` ${quoted(q)}`;
  return `stepwell steps list${query}${status === undefined ? "" : ` --status ${status}`}`;
}

const COLUMNS: Column<Step>[] = [
  {
    key: "status",
    beside: true,
    header: words.columns.status,
    width: "7.5rem",
    card: "head",
    cell: (one) => <StateBadge state={stateOf(one, Date.now())} look="plain" />,
  },
  {
    key: "name",
    beside: true,
    header: words.columns.name,
    width: "24%",
    card: "head",
    cell: (one) => <span className={classes.name}>{one.name}</span>,
  },
  {
    key: "keys",
    header: words.columns.keys,
    width: "10%",
    cell: (one) => <span className="sw-truncate">{one.search_key ?? one.unique_key}</span>,
  },
  { key: "queue", header: words.columns.queue, width: "5.5rem", cell: (one) => one.queue },
  {
    key: "due",
    beside: true,
    header: words.columns.due,
    width: "6.5rem",
    cell: (one) => <Instant at={one.ended_at ?? one.schedule_time} as="ago" />,
  },
  {
    key: "tries",
    header: words.columns.tries,
    width: "6.5rem",
    align: "end",
    cell: (one) => words.tries(one.execution_count, one.failure_count, one.lost_count),
  },
  {
    key: "took",
    header: words.columns.took,
    width: "4.5rem",
    align: "end",
    cell: (one) => (one.execution_duration === null ? "" : duration(one.execution_duration)),
  },
  {
    key: "description",
    card: "sentence",
    header: words.columns.description,
    cell: (one) => <span className="sw-truncate sw-soft">{one.description}</span>,
  },
];
