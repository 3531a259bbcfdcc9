import { Badge, Button, SegmentedControl, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import type { Schemas } from "@/api/client";
import { type Column, DataTable } from "@/components/DataTable";
import { ErrorFace, SkeletonRows } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { RoleGate } from "@/components/RoleGate";
import { duration, number } from "@/lib/time";
import { metrics as words } from "@/strings/metrics";
import { rate, share } from "./Figures";
import classes from "./Metrics.module.css";
import {
  causesQuery,
  rankingQuery,
  regressionsQuery,
  type Subject,
  targetsQuery,
  type Window,
} from "./queries";
import { DropTarget, SetTarget } from "./TargetDialogs";

function Part({
  title,
  actions,
  children,
}: {
  title: string;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className={`sw-panel ${classes.part}`}>
      <header className={classes.head}>
        <h2>{title}</h2>
        {actions}
      </header>
      {children}
    </section>
  );
}

interface Of {
  subject: Subject;
  window: Window;
}

type By = Schemas["By"];
type Order = Schemas["Ranking"]["order"];

interface RankedProps extends Of {
  by: By;
  order: Order;
  onChange: (next: { by?: By; order?: Order }) => void;
}

const ORDERS = ["average", "error-rate", "failed", "count", "time"] as const;

/** The slowest, or the most often failed, with their change against the time before. */
export function Ranked({ subject, window, by, order, onChange }: RankedProps) {
  const found = useQuery(rankingQuery(subject, window, by, order));
  const rows = found.data?.rows ?? [];
  return (
    <Part
      title={words.ranking.title}
      actions={
        <>
          <Select
            aria-label={words.ranking.title}
            size="xs"
            w={170}
            allowDeselect={false}
            value={order}
            data={ORDERS.map((value) => ({ value, label: words.ranking.order[value] }))}
            onChange={(next) => onChange({ order: (next ?? "average") as Order })}
          />
          <SegmentedControl
            aria-label={words.ranking.name}
            value={by}
            onChange={(next) => onChange({ by: next as By })}
            data={(["workflow", "operation", "group"] as const).map((value) => ({
              value,
              label: words.ranking.by[value],
            }))}
          />
        </>
      }
    >
      {found.error ? (
        <ErrorFace error={found.error} />
      ) : found.data === undefined ? (
        <SkeletonRows rows={4} />
      ) : rows.length === 0 ? (
        <p className={classes.quiet}>{words.ranking.none}</p>
      ) : (
        <DataTable
          label={words.ranking.title}
          columns={RANKED}
          rows={rows}
          rowId={nameOf}
          keys={false}
        />
      )}
    </Part>
  );
}

function nameOf(one: Schemas["Ranked"]): string {
  return [one.group, one.workflow, one.operation].filter(Boolean).join("/");
}

const RANKED: Column<Schemas["Ranked"]>[] = [
  {
    key: "name",
    header: words.ranking.name,
    card: "head",
    cell: (one) =>
      one.workflow === null ? (
        one.group
      ) : (
        <Link
          to="/workflows/$group/$workflow"
          params={{ group: one.group, workflow: one.workflow }}
        >
          {nameOf(one)}
        </Link>
      ),
  },
  {
    key: "success",
    header: words.figures.success,
    width: "7.5rem",
    align: "end",
    cell: (one) => (
      <>
        {rate(one.success_rate)}{" "}
        <span className="sw-soft">{words.of(number(one.succeeded), number(one.judged))}</span>
      </>
    ),
  },
  {
    key: "average",
    header: words.figures.average,
    width: "5rem",
    align: "end",
    cell: (one) => seconds(one.duration.average),
  },
  {
    key: "p95",
    header: words.figures.p95,
    width: "4.5rem",
    align: "end",
    cell: (one) => seconds(one.duration.p95),
  },
  {
    key: "change",
    header: words.ranking.change,
    width: "10.5rem",
    align: "end",
    cell: (one) => {
      const tone = share(one.change.p95);
      return tone === null ? (
        <span className="sw-soft">{words.none}</span>
      ) : (
        <span className={classes.tone} data-good={tone.good}>
          {tone.text}
        </span>
      );
    },
  },
];

function seconds(value: number | null): string {
  return value === null ? words.none : duration(value);
}

export function Causes({ subject, window }: Of) {
  const found = useQuery(causesQuery(subject, window));
  const rows = found.data?.causes ?? [];
  return (
    <Part title={words.causes.title}>
      {found.error ? (
        <ErrorFace error={found.error} />
      ) : rows.length === 0 ? (
        <p className={classes.quiet}>{words.causes.none}</p>
      ) : (
        <ul className={classes.causes}>
          {rows.map((one) => (
            <li key={one.cause}>
              <Link to="/runs" search={{ q: `cause:${one.cause}` }} className={classes.sentence}>
                {one.sentence}
              </Link>
              <span className="sw-soft">
                {words.counted(number(one.count))} · {one.workflows.join(", ")}
                {one.release === null ? "" : ` · ${words.causes.since(one.release)}`} ·{" "}
                <Instant at={one.last_at} as="ago" />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Part>
  );
}

type Waiting = Schemas["Period"]["waits"][number];

/** What runs waited for before they ran, and how much of all waiting that was. */
export function Waits({ waits }: { waits: Waiting[] }) {
  return (
    <Part title={words.waits.title}>
      {waits.length === 0 ? (
        <p className={classes.quiet}>{words.waits.none}</p>
      ) : (
        <table className={classes.waits} aria-label={words.waits.title}>
          <thead>
            <tr>
              <th scope="col">{words.waits.reason}</th>
              <th scope="col">{words.waits.share}</th>
              <th scope="col">{words.waits.total}</th>
              <th scope="col">{words.waits.p95}</th>
            </tr>
          </thead>
          <tbody>
            {waits.map((one) => (
              <tr key={one.reason}>
                <th scope="row">{one.reason.replaceAll("_", " ").toLowerCase()}</th>
                <td>
                  <span className={`sw-paint ${classes.meter}`}>
                    <span style={{ width: `${Math.round(one.share * 100)}%` }} />
                  </span>
                  {rate(one.share)}
                </td>
                <td>{duration(one.seconds)}</td>
                <td>{seconds(one.duration.p95)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Part>
  );
}

export function Targets({ subject }: { subject: Subject }) {
  const found = useQuery(targetsQuery(subject));
  const [open, setOpen] = useState<"set" | { group: string; workflow: string } | null>(null);
  const close = () => setOpen(null);
  const rows = (found.data ?? []).flatMap((of) =>
    of.objectives.map((one) => ({ ...one, of, id: `${of.group}/${of.workflow} ${one.objective}` })),
  );
  return (
    <Part
      title={words.targets.title}
      actions={
        <RoleGate needs="operator">
          <Button variant="default" size="xs" onClick={() => setOpen("set")}>
            {words.targets.set}
          </Button>
        </RoleGate>
      }
    >
      {open === "set" ? <SetTarget subject={subject} onClose={close} /> : null}
      {open !== null && open !== "set" ? <DropTarget of={open} onClose={close} /> : null}
      {found.error ? (
        <ErrorFace error={found.error} />
      ) : rows.length === 0 ? (
        <div className={classes.quiet}>{words.targets.none}</div>
      ) : (
        <DataTable
          label={words.targets.title}
          columns={[...TARGETS, dropColumn(setOpen)]}
          rows={rows}
          rowId={(one) => one.id}
          keys={false}
        />
      )}
    </Part>
  );
}

/** Only what was set by hand can be dropped. */
function dropColumn(onDrop: (of: { group: string; workflow: string }) => void): Column<Objective> {
  return {
    key: "acts",
    header: words.targets.origin,
    width: "6rem",
    cell: (one) =>
      one.of.origin === "source" ? (
        one.of.origin
      ) : (
        <RoleGate needs="operator">
          <Button
            variant="subtle"
            size="compact-xs"
            aria-label={`${words.targets.drop} ${one.of.group}/${one.of.workflow} ${one.objective}`}
            onClick={() => onDrop({ group: one.of.group, workflow: one.of.workflow })}
          >
            {words.targets.drop}
          </Button>
        </RoleGate>
      ),
  };
}

type Objective = Schemas["Objective"] & { of: Schemas["WorkflowTargets"]; id: string };

const TARGETS: Column<Objective>[] = [
  {
    key: "workflow",
    header: words.targets.workflow,
    card: "head",
    cell: (one) => (
      <Link
        to="/workflows/$group/$workflow"
        params={{ group: one.of.group, workflow: one.of.workflow }}
      >
        {one.of.group}/{one.of.workflow}
      </Link>
    ),
  },
  {
    key: "objective",
    header: words.targets.objective,
    width: "9rem",
    cell: (one) => `${one.objective} ${shown(one, one.target)}`,
  },
  {
    key: "actual",
    header: words.targets.actual,
    width: "6rem",
    align: "end",
    cell: (one) => (one.actual === null ? words.none : shown(one, one.actual)),
  },
  {
    key: "budget",
    header: words.targets.budget,
    width: "7rem",
    align: "end",
    cell: (one) => rate(one.budget_left),
  },
  {
    key: "met",
    header: words.targets.met,
    width: "7rem",
    cell: (one) => (
      <Badge color={one.met === null ? "gray" : one.met ? "green" : "red"}>
        {one.met === null
          ? words.targets.unknown
          : one.met
            ? words.targets.met
            : words.targets.missed}
      </Badge>
    ),
  },
];

function shown(one: Schemas["Objective"], value: number): string {
  return one.objective === "success" ? rate(value) : duration(value);
}

export function Regressions({ subject }: { subject: Subject }) {
  const found = useQuery(regressionsQuery(subject));
  const rows = found.data?.regressions ?? [];
  if (rows.length === 0) return null;
  return (
    <Part title={words.regressions.title}>
      <ul className={classes.causes}>
        {rows.map((one) => (
          <li key={`${one.group}/${one.workflow}/${one.operation} ${one.measure}`}>
            <Link
              to="/workflows/$group/$workflow"
              params={{ group: one.group, workflow: one.workflow }}
              search={{ tab: "versions" }}
              className={classes.sentence}
            >
              {[one.group, one.workflow, one.operation].filter(Boolean).join("/")}
            </Link>
            <span className="sw-soft">
              {words.regressions.one(
                one.measure,
                measure(one, one.before),
                measure(one, one.after),
                one.release,
              )}
            </span>
          </li>
        ))}
      </ul>
    </Part>
  );
}

function measure(one: Schemas["Regression"], value: number): string {
  return one.measure.includes("rate") || one.measure === "success" ? rate(value) : duration(value);
}
