/** The columns that a list of runs can have. */

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Column } from "@/components/DataTable";
import { Instant } from "@/components/Instant";
import { StateBadge } from "@/components/StateBadge";
import { shortDigest } from "@/lib/digest";
import { exactText } from "@/lib/exact";
import { runs as words } from "@/strings/runs";
import classes from "./columns.module.css";
import type { Run } from "./queries";
import { TookBar, type Usual } from "./TookBar";

export type ColumnKey = keyof typeof words.column;

export const USUAL_COLUMNS: readonly ColumnKey[] = [
  "state",
  "workflow",
  "note",
  "input",
  "trigger",
  "started",
  "took",
];

export const ALL_COLUMNS = Object.keys(words.column) as ColumnKey[];

/** The known ones of these, in their order; the usual ones where there is none. */
export function chosen(given: readonly string[] | undefined): ColumnKey[] {
  const known = (given ?? []).filter((key): key is ColumnKey => key in words.column);
  return known.length > 0 ? [...new Set(known)] : [...USUAL_COLUMNS];
}

/** For the address, which says nothing of the usual ones. */
export function unlessUsual(keys: ColumnKey[]): ColumnKey[] | undefined {
  return keys.join() === USUAL_COLUMNS.join() ? undefined : keys;
}

/** `{"day": "2026-01-31", "n": 3}` -> `day=2026-01-31 n=3`. */
export function inputSummary(parameters: Record<string, unknown>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : exactText(value)}`)
    .join("  ");
}

function Note({ run }: { run: Run }): ReactNode {
  if (run.waiting) return run.waiting.sentence;
  if (run.progress) {
    const { operation, fraction, note } = run.progress;
    const share = fraction === null ? "" : ` ${Math.round(fraction * 100)} %`;
    return `${operation}${share}${note ? `, ${note}` : ""}`;
  }
  if (run.reason) {
    return (
      <>
        {run.failed_operation ? (
          <code className={classes.where}>{run.failed_operation}</code>
        ) : null}
        {run.reason.replace(/^The operation [\w-]+ failed: /, "")}
      </>
    );
  }
  if (run.warnings > 0) return `${run.warnings} ${run.warnings === 1 ? "warning" : "warnings"}`;
  return null;
}

const text = (content: ReactNode, title?: string) => (
  <span className={classes.text} title={title}>
    {content}
  </span>
);

type Spec = Omit<Column<Run>, "key" | "header">;

export function runColumns(keys: readonly ColumnKey[], usual: Usual): Column<Run>[] {
  const specs: Record<ColumnKey, Spec> = {
    state: {
      width: "7.5rem",
      card: "head",
      cell: (run) => <StateBadge state={run.state} look="plain" />,
    },
    workflow: {
      width: "18%",
      card: "head",
      cell: (run) => (
        <Link
          to="/runs/$runId"
          params={{ runId: run.id }}
          className={classes.link}
          title={`${run.group}/${run.workflow}`}
        >
          <span className={classes.group}>{run.group}/</span>
          {run.workflow}
        </Link>
      ),
    },
    input: {
      width: "11%",
      cell: (run) => <code className={classes.code}>{inputSummary(run.parameters) || "–"}</code>,
      card: "none",
    },
    note: {
      card: "sentence",
      cell: (run) => text(<Note run={run} />, run.waiting?.sentence ?? run.reason ?? undefined),
    },
    trigger: { width: "6.5rem", cell: (run) => text(run.trigger), card: "none" },
    version: {
      width: "8rem",
      cell: (run) => <code title={run.digest}>{shortDigest(run.digest)}</code>,
      card: "none",
    },
    started: { width: "6.75rem", cell: (run) => <Instant at={run.started_at ?? run.created_at} /> },
    created: { width: "6.75rem", cell: (run) => <Instant at={run.created_at} />, card: "none" },
    took: { width: "8.5rem", cell: (run) => <TookBar run={run} usual={usual} /> },
    attempt: { width: "5rem", align: "end", cell: (run) => run.attempt, card: "none" },
    labels: {
      width: "12%",
      card: "none",
      cell: (run) => <code className={classes.code}>{inputSummary(run.labels) || "–"}</code>,
    },
    by: { width: "9rem", cell: (run) => text(run.requested_by), card: "none" },
    pool: { width: "6rem", cell: (run) => text(run.pool ?? "–"), card: "none" },
    priority: { width: "5.5rem", cell: (run) => run.priority, card: "none" },
    id: {
      width: "9rem",
      cell: (run) => <code title={run.id}>…{run.id.slice(-12)}</code>,
      card: "none",
    },
  };
  return keys.map((key) => ({ key, header: words.column[key], ...specs[key] }));
}
