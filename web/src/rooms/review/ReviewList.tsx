import { Badge, Tabs } from "@mantine/core";
import { IconChecklist, IconChecks, IconMoodCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { Schemas } from "@/api/client";
import { CodeBlock } from "@/components/CodeBlock";
import { CopyAs } from "@/components/CopyAs";
import type { Column } from "@/components/DataTable";
import { FourFaces } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { Listing } from "@/components/Listing";
import { PageHeader } from "@/components/PageHeader";
import { foundRows } from "@/lib/found";
import { review as words } from "@/strings/review";
import { DiscoverAgain } from "./DiscoverAgain";
import { Counts, risk, short } from "./Marks";
import { useNothing } from "./Nothing";
import { failedQuery, reviewsQuery } from "./queries";
import classes from "./Review.module.css";

type Tab = "waiting" | "decided" | "errors";

type Waiting = Schemas["ReviewWaitingPage"]["items"][number];
type Failed = Schemas["Discovery"];

/** The groups whose images have something to say. */
export function ReviewList() {
  const { tab = "waiting" } = useSearch({ from: "/shell/review" });
  const navigate = useNavigate();
  const onTab = (next: Tab) =>
    void navigate({ to: "/review", search: { tab: next === "waiting" ? undefined : next } });
  const waiting = useQuery(reviewsQuery("waiting"));
  const failed = useQuery(failedQuery);
  return (
    <>
      <PageHeader
        title={words.title}
        lead={words.lead}
        actions={<CopyAs call={{ cli: "stepwell groups review", path: "/reviews" }} />}
      />
      <Tabs value={tab} onChange={(value) => onTab((value ?? "waiting") as Tab)}>
        <Tabs.List>
          <Tabs.Tab value="waiting" rightSection={<Tally of={waiting.data?.items.length} />}>
            {words.tabs.waiting}
          </Tabs.Tab>
          <Tabs.Tab value="decided">{words.tabs.decided}</Tabs.Tab>
          <Tabs.Tab value="errors" rightSection={<Tally of={failed.data?.items.length} />}>
            {words.tabs.errors}
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="waiting" pt="md">
          <Offers state="waiting" />
        </Tabs.Panel>
        <Tabs.Panel value="decided" pt="md">
          <Offers state="decided" />
        </Tabs.Panel>
        <Tabs.Panel value="errors" pt="md">
          <Errors />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function Tally({ of }: { of: number | undefined }) {
  return of ? (
    <Badge size="sm" variant="light" circle={of < 10}>
      {of}
    </Badge>
  ) : null;
}

function Offers({ state }: { state: "waiting" | "decided" }) {
  const found = useQuery(reviewsQuery(state));
  const navigate = useNavigate();
  const rows = found.data?.items ?? [];
  const nothing = useNothing();
  const never = state === "waiting" ? nothing : words.noneDecided;
  return (
    <Listing
      found={foundRows(found, rows)}
      keys
      label={words.tabs[state]}
      columns={OFFERS}
      rowHeight={40}
      rowId={(one) => one.group}
      rowName={(one) => one.group}
      onOpen={(one) => void navigate(address(one))}
      never={{
        ...never,
        icon: state === "waiting" ? <IconMoodCheck size={28} /> : <IconChecks size={28} />,
      }}
    />
  );
}

function address(one: Waiting) {
  return {
    to: "/review/$group/$discovery",
    params: { group: one.group, discovery: one.discovery_id ?? "" },
  } as const;
}

const OFFERS: Column<Waiting>[] = [
  {
    key: "group",
    header: words.columns.group,
    width: "17%",
    card: "head",
    sort: (one) => one.group,
    cell: (one) => (
      <div className={classes.named}>
        <Link {...address(one)} className={classes.name}>
          {one.group}
        </Link>
        <span className={classes.image} title={one.image}>
          {one.image}
        </span>
      </div>
    ),
  },
  {
    key: "summary",
    header: words.columns.summary,
    width: "27%",
    sort: (one) => one.pending.length,
    cell: (one) => <Counts counts={one.counts} />,
  },
  {
    key: "risks",
    header: words.columns.risks,
    width: "24%",
    sort: (one) => one.risks.length,
    cell: (one) =>
      one.risks.length === 0 ? (
        <span className="sw-soft">{words.nothing}</span>
      ) : (
        <span className={classes.counts}>
          {one.risks.map((code) => (
            <span key={code} className={classes.riskChip}>
              {risk(code)}
            </span>
          ))}
        </span>
      ),
  },
  {
    key: "digest",
    header: words.columns.digest,
    width: "18%",
    cell: (one) => (
      <span className="sw-mono">
        <span className="sw-soft">{short(one.replaces[0] ?? null)} → </span>
        {short(one.digest)}
      </span>
    ),
  },
  {
    key: "found",
    header: words.columns.found,
    width: "14%",
    sort: (one) => one.found_at,
    cell: (one) => (
      <div className={classes.named}>
        <Instant at={one.found_at} as="ago" />
        <span className={classes.image}>{words.foundBy(one.found_by)}</span>
      </div>
    ),
  },
];

function Errors() {
  const found = useQuery(failedQuery);
  const rows = found.data?.items ?? [];
  return (
    <FourFaces
      loading={found.isPending}
      error={found.error}
      onRetry={() => void found.refetch()}
      empty={rows.length === 0}
      never={{ ...words.noErrors, icon: <IconChecklist size={28} /> }}
    >
      <ul className={classes.errors}>
        {rows.map((one) => (
          <Failure key={one.id} one={one} />
        ))}
      </ul>
    </FourFaces>
  );
}

function Failure({ one }: { one: Failed }) {
  return (
    <li className={`sw-panel ${classes.failure}`}>
      <div className={classes.failureHead}>
        <strong>{one.group_name}</strong>
        <span className="sw-soft sw-truncate">{one.image}</span>
        <span className="sw-grow" />
        <span className="sw-soft">{one.trigger}</span>
        <Instant at={one.finished_at ?? one.created_at} as="ago" />
        <DiscoverAgain group={one.group_name} />
      </div>
      <p className={classes.what}>{one.error?.what}</p>
      {one.error?.why ? (
        <CodeBlock label={words.errorOutput} wrap>
          {one.error.why}
        </CodeBlock>
      ) : null}
      {one.error?.fix ? <p className={classes.fix}>{one.error.fix}</p> : null}
      {one.error?.output ? (
        <details>
          <summary className="sw-soft">{words.errorOutput}</summary>
          <CodeBlock label={words.errorOutput} tall>
            {one.error.output}
          </CodeBlock>
        </details>
      ) : null}
    </li>
  );
}
