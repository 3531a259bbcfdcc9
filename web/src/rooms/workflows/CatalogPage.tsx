import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { IconBook2, IconSearch } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Schemas } from "@/api/client";
import { CopyAs, quoted } from "@/components/CopyAs";
import { type Column, DataTable } from "@/components/DataTable";
import { Instant } from "@/components/Instant";
import { Listing } from "@/components/Listing";
import { OutcomeBars } from "@/components/OutcomeBars";
import { PageHeader } from "@/components/PageHeader";
import { type Found, foundPages } from "@/lib/found";
import { duration, percent } from "@/lib/time";
import { useTyped } from "@/lib/typed";
import { common } from "@/strings/common";
import { workflows as words } from "@/strings/workflows";
import { barsOf, inWords } from "./outcomes";
import { rankingQuery, type Workflow, workflowsQuery } from "./queries";
import classes from "./Workflows.module.css";

interface Row extends Workflow {
  figures: Schemas["Ranked"] | undefined;
}

export function CatalogPage() {
  const { text = "", by } = useSearch({ from: "/shell/workflows" });
  const navigate = useNavigate({ from: "/workflows" });
  const found = useInfiniteQuery(workflowsQuery(text));
  const ranking = useQuery(rankingQuery);
  const rows = useMemo(() => {
    const by = new Map(
      (ranking.data?.rows ?? []).map((one) => [`${one.group}/${one.workflow}`, one]),
    );
    return (found.data?.pages ?? [])
      .flatMap((page) => page.items)
      .map((one): Row => ({ ...one, figures: by.get(`${one.group}/${one.workflow}`) }));
  }, [found.data, ranking.data]);
  const clear = () => void navigate({ search: (old) => ({ ...old, text: undefined }) });
  const listing = { ...foundPages(found), rows };
  return (
    <>
      <PageHeader
        title={words.title}
        lead={words.lead}
        actions={
          <>
            <Search
              text={text}
              onChange={(next) =>
                void navigate({
                  search: (old) => ({ ...old, text: next || undefined }),
                  replace: true,
                })
              }
            />
            <SegmentedControl
              aria-label={words.view}
              value={by ?? "flat"}
              onChange={(next) =>
                void navigate({
                  search: (old) => ({ ...old, by: next === "group" ? "group" : undefined }),
                  replace: true,
                })
              }
              data={[
                { value: "flat", label: words.flat },
                { value: "group", label: words.byGroup },
              ]}
            />
            <CopyAs
              call={{
                cli: `stepwell workflows list${text === "" ? "" : ` --text ${quoted(text)}`}`,
                path: `/workflows${text === "" ? "" : `?text=${encodeURIComponent(text)}`}`,
              }}
            />
          </>
        }
      />
      {by === "group" && rows.length > 0 ? (
        <Groups found={listing} />
      ) : (
        <Listing
          found={listing}
          keys
          label={words.title}
          columns={COLUMNS}
          rowHeight={40}
          rowId={nameOf}
          rowName={nameOf}
          onOpen={(one) => void navigate(address(one))}
          filtered={text !== ""}
          never={{
            title: words.never.title,
            text: words.never.text,
            icon: <IconBook2 size={28} />,
            action: (
              <Button component={Link} to="/review">
                {words.never.action}
              </Button>
            ),
          }}
          nothing={{ title: words.nothing(text), onClear: clear }}
        />
      )}
    </>
  );
}

function Search({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  return (
    <TextInput
      {...useTyped(text, onChange)}
      className={classes.search}
      type="search"
      aria-label={words.search}
      placeholder={words.search}
      leftSection={<IconSearch size={14} />}
      maxLength={200}
    />
  );
}

/** The same, folded into their groups. */
function Groups({ found }: { found: Found<Row> }) {
  const navigate = useNavigate();
  const { more } = found;
  return (
    <>
      {grouped(found.rows).map(([group, rows]) => (
        <details key={group} open className={classes.group}>
          <summary>
            <h2>{group}</h2>
            <span className="sw-soft">{words.inGroup(rows.length)}</span>
            {lastFailed(rows) === 0 ? null : (
              <span className={classes.rate} data-bad>
                {words.lastFailed(lastFailed(rows))}
              </span>
            )}
          </summary>
          <div className="sw-panel" aria-busy={found.former}>
            <DataTable
              label={group}
              columns={COLUMNS}
              rows={rows}
              rowHeight={40}
              rowId={nameOf}
              rowName={nameOf}
              onOpen={(one) => void navigate(address(one))}
            />
          </div>
        </details>
      ))}
      {more?.there ? (
        <Button variant="default" loading={more.loading} onClick={more.load}>
          {common.loadMore}
        </Button>
      ) : null}
    </>
  );
}

/** A list of all workflows has those of a group one after the other. */
function grouped(rows: readonly Row[]): [string, Row[]][] {
  const found = new Map<string, Row[]>();
  for (const one of rows) found.set(one.group, [...(found.get(one.group) ?? []), one]);
  return [...found];
}

function lastFailed(rows: readonly Row[]): number {
  return rows.filter((one) => one.outcomes.at(-1)?.state === "failed").length;
}

function nameOf(one: Workflow): string {
  return `${one.group}/${one.workflow}`;
}

function address(one: Workflow) {
  return {
    to: "/workflows/$group/$workflow",
    params: { group: one.group, workflow: one.workflow },
  } as const;
}

const COLUMNS: Column<Row>[] = [
  {
    key: "workflow",
    header: words.columns.workflow,
    width: "30%",
    card: "head",
    sort: nameOf,
    cell: (one) => (
      <div className={classes.named}>
        <Link {...address(one)} className={classes.name}>
          <span className="sw-soft">{one.group}/</span>
          {one.workflow}
        </Link>
        <span className={classes.description}>{one.description}</span>
      </div>
    ),
  },
  {
    key: "outcomes",
    header: words.columns.outcomes,
    width: "10rem",
    cell: (one) =>
      one.outcomes.length === 0 ? (
        <span className="sw-soft">{words.noOutcomes}</span>
      ) : (
        <OutcomeBars outcomes={barsOf(one.outcomes)} label={inWords(one.outcomes)} />
      ),
  },
  {
    key: "rate",
    header: words.columns.rate,
    align: "end",
    width: "8.5rem",
    sort: (one) => one.figures?.success_rate,
    cell: (one) => <Rate of={one.figures} />,
  },
  {
    key: "p95",
    header: words.columns.p95,
    align: "end",
    width: "6rem",
    sort: (one) => one.figures?.duration.p95,
    cell: (one) => {
      const p95 = one.figures?.duration.p95;
      return p95 == null ? <span className="sw-soft">{words.none}</span> : duration(p95);
    },
  },
  {
    key: "next",
    header: words.columns.next,
    width: "6.25rem",
    sort: (one) => one.next_due,
    cell: (one) =>
      one.paused ? (
        <span className={classes.paused}>{words.paused}</span>
      ) : one.schedules === 0 ? (
        <span className="sw-soft">{words.onRequest}</span>
      ) : (
        <Instant at={one.next_due} as="ago" />
      ),
  },
  {
    key: "release",
    header: words.columns.release,
    align: "end",
    width: "4.5rem",
    sort: (one) => one.since,
    cell: (one) => one.since,
  },
  {
    key: "owner",
    header: words.columns.owner,
    width: "18%",
    sort: (one) => one.owner,
    cell: (one) =>
      one.owner === null && one.tags.length === 0 ? (
        <span className="sw-soft">{words.none}</span>
      ) : (
        <div className={classes.named}>
          {one.owner === null ? null : <span className="sw-truncate">{one.owner}</span>}
          <Tags of={one.tags} />
        </div>
      ),
  },
];

const TAGS = 2;

function Tags({ of }: { of: readonly string[] }) {
  return (
    <span className={classes.tags} title={of.join(", ")}>
      {of.slice(0, TAGS).map((one) => (
        <span key={one}>{one}</span>
      ))}
      {of.length > TAGS ? <span>{words.moreTags(of.length - TAGS)}</span> : null}
    </span>
  );
}

function Rate({ of }: { of: Schemas["Ranked"] | undefined }) {
  if (of === undefined || of.success_rate === null)
    return <span className="sw-soft">{words.none}</span>;
  return (
    <span className={classes.rate} data-bad={of.success_rate < 0.9 || undefined}>
      {percent(of.success_rate)}
      <span className="sw-soft"> {words.runs(of.succeeded, of.judged)}</span>
    </span>
  );
}
