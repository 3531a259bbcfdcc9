/** Two runs beside each other: sentences first, what matters most on top, then the tables. */

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { DataTable } from "@/components/DataTable";
import { Duration } from "@/components/Duration";
import { Instant } from "@/components/Instant";
import { StateBadge } from "@/components/StateBadge";
import { STATES, type StateWord } from "@/components/StateGlyph";
import { shortDigest } from "@/lib/digest";
import { exactText } from "@/lib/exact";
import { duration } from "@/lib/time";
import { run as words } from "@/strings/run";
import classes from "./Comparison.module.css";
import type { Comparison } from "./queries";

const said = words.changes;
type Pair = Comparison["operations"][number];

export function ComparisonView({ found }: { found: Comparison }) {
  return (
    <div className={classes.view}>
      <div className={classes.heads}>
        <Head name={said.before} run={found.before} />
        <span aria-hidden="true" className={classes.arrow}>
          →
        </span>
        <Head name={said.after} run={found.after} />
      </div>
      <ul className={classes.sentences}>
        {found.sentences.map((one) => (
          <li key={one}>{one}</li>
        ))}
      </ul>
      <Circumstances found={found} />
      {found.parameters.length > 0 ? (
        <Part title={said.input}>
          <DataTable
            label={said.input}
            keys={false}
            rows={found.parameters}
            rowId={(one) => one.name}
            columns={[
              { key: "name", header: said.key, cell: (one) => one.name, card: "head" },
              {
                key: "before",
                header: said.beforeColumn,
                cell: (one) => <Value of={one.before} />,
              },
              { key: "after", header: said.afterColumn, cell: (one) => <Value of={one.after} /> },
            ]}
          />
        </Part>
      ) : null}
      <Part title={said.operations}>
        <DataTable
          label={said.operations}
          rows={found.operations}
          rowId={(one) => one.operation}
          columns={[
            {
              key: "operation",
              header: words.steps.operation,
              cell: (one) => <strong>{one.operation}</strong>,
              card: "head",
            },
            { key: "before", header: said.beforeColumn, cell: (one) => <Brief of={one.before} /> },
            { key: "after", header: said.afterColumn, cell: (one) => <Brief of={one.after} /> },
            {
              key: "slower",
              header: said.differenceColumn,
              align: "end",
              width: "7rem",
              cell: (one) => <Slower of={one} />,
              sort: (one) => one.slower_by,
            },
          ]}
        />
      </Part>
      {found.state.length > 0 ? (
        <Part title={said.state}>
          <DataTable
            label={said.state}
            keys={false}
            rows={found.state}
            rowId={(one) => `${one.scope} ${one.key}`}
            columns={[
              {
                key: "key",
                header: said.key,
                cell: (one) => (
                  <Link to="/state" search={{ of: found.after.group, at: one.scope, key: one.key }}>
                    {one.scope}/{one.key}
                  </Link>
                ),
                card: "head",
              },
              {
                key: "version",
                header: said.version,
                cell: (one) => (one.deleted ? said.deleted : one.version),
                align: "end",
                width: "6rem",
              },
              { key: "by", header: said.by, cell: (one) => <Writer of={one} /> },
              { key: "at", header: said.at, cell: (one) => <Instant at={one.written_at} /> },
            ]}
          />
        </Part>
      ) : null}
    </div>
  );
}

/** Who wrote it: the run, where it was one. */
function Writer({ of }: { of: Comparison["state"][number] }) {
  if (of.run_id === null) return of.written_by;
  return (
    <Link to="/runs/$runId" params={{ runId: of.run_id }} search={{}}>
      {said.run(of.run_id.slice(-12))}
    </Link>
  );
}

interface Circumstance {
  name: string;
  before: string;
  after: string;
}

/** By which image and where each of the two ran; whether that is another is for the reader to see. */
function Circumstances({ found }: { found: Comparison }) {
  const { release, attempts_before: was, attempts_after: now } = found;
  const image = (of: Comparison["before"], number: unknown) =>
    release === null ? shortDigest(of.digest) : `${shortDigest(of.digest)}, ${named(number)}`;
  const rows: Circumstance[] = [
    {
      name: said.image,
      before: image(found.before, release?.before),
      after: image(found.after, release?.after),
    },
    ...(was.node || now.node
      ? [{ name: said.node, before: was.node ?? "–", after: now.node ?? "–" }]
      : []),
    { name: said.containers, before: String(was.count), after: String(now.count) },
  ];
  return (
    <Part title={said.circumstances}>
      <DataTable
        label={said.circumstances}
        keys={false}
        rows={rows}
        rowId={(one) => one.name}
        columns={[
          {
            key: "name",
            header: said.circumstance,
            cell: (one) => <strong>{one.name}</strong>,
            card: "head",
          },
          { key: "before", header: said.beforeColumn, cell: (one) => one.before },
          {
            key: "after",
            header: said.afterColumn,
            cell: (one) =>
              one.before === one.after ? <span className="sw-soft">{one.after}</span> : one.after,
          },
        ]}
      />
      <BetweenReleases found={found} />
    </Part>
  );
}

const named = (number: unknown) =>
  typeof number === "number" ? words.release(String(number)) : words.trial;

/** What was accepted in between, where both ran by a release. */
function BetweenReleases({ found }: { found: Comparison }) {
  const { before, after } = found.release ?? {};
  if (typeof before !== "number" || typeof after !== "number") return null;
  const { group, workflow } = found.after;
  return (
    <p className={classes.more}>
      <Link
        to="/workflows/$group/$workflow"
        params={{ group, workflow }}
        search={{ tab: "versions", one: before, other: after }}
      >
        {said.between(before, after)}
      </Link>
    </p>
  );
}

function Head({ name, run }: { name: string; run: Comparison["before"] }) {
  return (
    <div className={classes.head}>
      <span className="sw-label">{name}</span>
      <span className="sw-row sw-wrap">
        <StateBadge state={run.state} />
        <Link to="/runs/$runId" params={{ runId: run.id }} search={{}}>
          {run.group}/{run.workflow}
        </Link>
        <Instant at={run.created_at} />
        <Duration since={run.started_at} until={run.finished_at} />
      </span>
    </div>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h2 className={classes.title}>{title}</h2>
      <div className="sw-panel">{children}</div>
    </section>
  );
}

function Value({ of }: { of: unknown }) {
  return <code>{of === null || of === undefined ? "–" : exactText(of)}</code>;
}

function stateWord(outcome: string): StateWord {
  if (outcome === "done") return "succeeded";
  return STATES.find((one) => one === outcome) ?? "waiting";
}

function Brief({ of }: { of: Pair["before"] }) {
  if (of === null) return <span className="sw-soft">{said.notThere}</span>;
  return (
    <span className="sw-row">
      <StateBadge state={stateWord(of.outcome)} look="plain" />
      <span className="sw-soft">
        <Duration seconds={of.duration} />
        {of.executions > 1 ? ` ×${of.executions}` : ""}
        {of.reused ? `, ${words.steps.reused}` : ""}
      </span>
    </span>
  );
}

function Slower({ of }: { of: Pair }) {
  const by = of.slower_by;
  if (by === null || Math.abs(by) < 0.001) return <span className="sw-soft">–</span>;
  const text = duration(Math.abs(by));
  return (
    <span data-slower={by > 0} className={classes.slower}>
      {by > 0 ? said.slower(text) : said.faster(text)}
    </span>
  );
}
