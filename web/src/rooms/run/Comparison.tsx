/** Two runs beside each other: sentences first, what matters most on top, then the tables. */

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { DataTable } from "@/components/DataTable";
import { Duration } from "@/components/Duration";
import { Instant } from "@/components/Instant";
import { StateBadge } from "@/components/StateBadge";
import { STATES, type StateWord } from "@/components/StateGlyph";
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
                  <code>
                    {one.scope}/{one.key}
                  </code>
                ),
                card: "head",
              },
              { key: "by", header: said.by, cell: (one) => one.written_by },
              { key: "at", header: said.at, cell: (one) => <Instant at={one.written_at} /> },
            ]}
          />
        </Part>
      ) : null}
    </div>
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
  return <code>{of === null || of === undefined ? "–" : JSON.stringify(of)}</code>;
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
