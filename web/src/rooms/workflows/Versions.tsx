import { Badge, Button, Checkbox } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { Schemas } from "@/api/client";
import { type Column, DataTable } from "@/components/DataTable";
import { ErrorFace, SkeletonRows } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { shortDigest } from "@/lib/digest";
import { usePhone } from "@/lib/media";
import { workflows as words } from "@/strings/workflows";
import { differenceQuery, type WorkflowDetail } from "./queries";
import classes from "./Workflows.module.css";

type Version = WorkflowDetail["versions"][number];

const FROM = "/shell/workflows/$group/$workflow";

/** The releases that changed it: who, when, why; two of them compared; an earlier one offered. */
export function Versions({ detail }: { detail: WorkflowDetail }) {
  const { one, other } = useSearch({ from: FROM });
  const navigate = useNavigate({ from: "/workflows/$group/$workflow" });
  const phone = usePhone();
  const picked = [one, other].filter((number): number is number => number !== undefined);

  function toggle(number: number) {
    const next = picked.includes(number)
      ? picked.filter((each) => each !== number)
      : [...picked, number].slice(-2);
    void navigate({
      search: (old) => ({ ...old, one: next[0], other: next[1] }),
      replace: true,
    });
  }

  const columns: Column<Version>[] = [
    {
      key: "compare",
      header: words.versions.compare,
      width: "5.5rem",
      card: "head",
      cell: (each) => (
        <Checkbox
          size={phone ? "md" : "xs"}
          aria-label={`${words.versions.compare} ${words.releaseOf(each.release)}`}
          checked={picked.includes(each.release)}
          onChange={() => toggle(each.release)}
        />
      ),
    },
    {
      key: "release",
      header: words.versions.release,
      width: "8rem",
      card: "head",
      cell: (each) => (
        <>
          {each.release}{" "}
          {each.release === detail.since ? <Badge size="sm">{words.versions.current}</Badge> : null}
        </>
      ),
    },
    {
      key: "when",
      header: words.versions.when,
      width: "8rem",
      cell: (each) => <Instant at={each.created_at} />,
    },
    {
      key: "by",
      header: words.versions.by,
      width: "16%",
      cell: (each) => [each.created_by, each.confirmed_by].filter(Boolean).join(", "),
    },
    {
      key: "reason",
      header: words.versions.reason,
      card: "sentence",
      cell: (each) => each.reason,
    },
    {
      key: "digest",
      header: words.versions.digest,
      width: "8.5rem",
      cell: (each) => <code>{shortDigest(each.digest)}</code>,
    },
    {
      key: "offer",
      header: words.versions.rollBack,
      width: "8rem",
      cell: (each) =>
        each.release === detail.since ? null : (
          <Button
            component={Link}
            variant="default"
            {...({
              to: "/review/$group/releases/$number",
              params: { group: detail.group, number: String(each.release) },
              search: { workflow: detail.workflow },
            } as object)}
          >
            {words.versions.rollBack}
          </Button>
        ),
    },
  ];
  const [low, high] = [Math.min(...picked), Math.max(...picked)];
  return (
    <>
      <div className="sw-panel">
        <div className={classes.pick}>
          <span className="sw-soft">{words.versions.pick}</span>
        </div>
        <DataTable
          label={words.tabs.versions}
          columns={columns}
          rows={detail.versions}
          rowId={(each) => String(each.release)}
          keys={false}
          rowHeight={40}
        />
      </div>
      {picked.length === 2 ? (
        <Difference group={detail.group} workflow={detail.workflow} number={high} against={low} />
      ) : null}
    </>
  );
}

interface Props {
  group: string;
  workflow: string;
  number: number;
  against: number;
}

function Difference({ group, workflow, number, against }: Props) {
  const found = useQuery(differenceQuery(group, number, against));
  if (found.error) return <ErrorFace error={found.error} onRetry={() => void found.refetch()} />;
  if (found.data === undefined) return <SkeletonRows rows={4} />;
  const mine = found.data.workflows.find(
    (one: Schemas["WorkflowChanges"]) => one.workflow === workflow,
  );
  const changes = mine?.changes ?? [];
  return (
    <section className={`sw-panel ${classes.difference} ${classes.gap}`}>
      <h2 className={classes.section}>{words.versions.compareWith(number, against)}</h2>
      {changes.length === 0 ? (
        <p className="sw-soft">{words.versions.same}</p>
      ) : (
        <ul>
          {changes.map((one) => (
            <li key={`${one.kind} ${one.path}`}>
              {one.sentence} <span className="sw-soft">{one.impact}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
