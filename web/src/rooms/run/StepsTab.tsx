/** The operations as a table that sorts and filters. */

import { SegmentedControl } from "@mantine/core";
import { IconListDetails } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, ok } from "@/api/client";
import { type Column, DataTable } from "@/components/DataTable";
import { Duration } from "@/components/Duration";
import { FourFaces } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { StateBadge } from "@/components/StateBadge";
import { bytes, number } from "@/lib/time";
import { common } from "@/strings/common";
import { run as words } from "@/strings/run";
import { short } from "./Header";
import { type Shown, stateOf, waited } from "./pieces";
import type { RunDetail, RunStep } from "./queries";

const said = words.steps;
type Filter = keyof typeof said.filters;
const FILTERS = Object.keys(said.filters) as Filter[];

/** operation -> seconds within which 95 of 100 were done, over thirty days. */
function useUsual(run: RunDetail) {
  return useQuery({
    queryKey: ["metrics", "operations", run.group, run.workflow],
    staleTime: 600_000,
    queryFn: async () => {
      const from = new Date(Date.now() - 30 * 86_400_000).toISOString();
      const { group, workflow } = run;
      const found = await ok(
        api.GET("/api/v1/metrics/ranking", {
          params: { query: { by: "operation", group, workflow, from, limit: 100 } },
        }),
      );
      const rows = "rows" in found ? found.rows : [];
      return new Map(rows.map((one) => [one.operation, one.duration.p95]));
    },
  });
}

function note(step: RunStep): string {
  if (step.reused) return said.reused;
  return step.description ? short(step.description) : "";
}

const ORDER = ["failed", "running", "waiting", "cancelled", "skipped", "succeeded"];

export function StepsTab({
  run,
  steps,
  open,
  current,
  loading,
  more,
}: Shown & { loading: boolean; more: boolean }) {
  const [filter, setFilter] = useState<Filter>("all");
  const { data: usual } = useUsual(run);
  const place = useMemo(() => new Map(steps.map((one, at) => [one.id, at + 1])), [steps]);
  const rows = useMemo(
    () => steps.filter((one) => fits(one, filter, usual)),
    [steps, filter, usual],
  );
  const columns: Column<RunStep>[] = [
    {
      key: "number",
      beside: true,
      header: said.number,
      width: "4rem",
      align: "end",
      card: "none",
      cell: (one) => <span className="sw-soft">{place.get(one.id)}</span>,
      sort: (one) => place.get(one.id),
    },
    {
      key: "state",
      beside: true,
      header: said.state,
      width: "8rem",
      card: "head",
      cell: (one) => <StateBadge state={stateOf(one)} look="plain" />,
      sort: (one) => ORDER.indexOf(stateOf(one)),
    },
    {
      key: "operation",
      beside: true,
      header: said.operation,
      width: "22%",
      card: "head",
      cell: (one) => <strong className="sw-truncate">{one.operation}</strong>,
      sort: (one) => one.operation,
    },
    {
      key: "note",
      card: "sentence",
      header: said.note,
      cell: (one) => (
        <span className="sw-truncate" title={one.description ?? undefined}>
          {note(one)}
        </span>
      ),
    },
    {
      key: "started",
      header: said.started,
      width: "7rem",
      cell: (one) => <Instant at={one.started_at} />,
      sort: (one) => (one.started_at ? Date.parse(one.started_at) : null),
    },
    {
      key: "waited",
      header: said.waited,
      width: "5.5rem",
      align: "end",
      cell: (one) => <Duration seconds={waited(one)} />,
      sort: waited,
    },
    {
      key: "took",
      beside: true,
      header: said.took,
      width: "5.5rem",
      align: "end",
      cell: (one) => <Duration seconds={one.duration} />,
      sort: (one) => one.duration,
    },
    {
      key: "tries",
      header: said.tries,
      width: "4.5rem",
      align: "end",
      cell: (one) => one.executions,
      sort: (one) => one.executions,
    },
    {
      key: "result",
      header: said.result,
      width: "6rem",
      align: "end",
      card: "none",
      cell: (one) => (one.result_size > 0 ? bytes(one.result_size) : <span>–</span>),
      sort: (one) => one.result_size,
    },
  ];
  return (
    <>
      <div className="sw-row sw-wrap">
        <SegmentedControl
          aria-label={said.filter}
          value={filter}
          onChange={(value) => setFilter(FILTERS.find((one) => one === value) ?? "all")}
          data={FILTERS.map((value) => ({ value, label: said.filters[value] }))}
        />
        {filter === "slow" ? <span className="sw-soft">{said.slowText}</span> : null}
        {more ? (
          <span className="sw-soft" role="status">
            {common.loading}: {said.loadingMore(number(steps.length))}
          </span>
        ) : null}
      </div>
      <div className="sw-panel" style={{ marginTop: "0.625rem" }}>
        <FourFaces
          loading={loading}
          empty={rows.length === 0}
          filtered={filter !== "all"}
          never={{
            title: said.never,
            text: said.neverText,
            icon: <IconListDetails size={26} stroke={1.4} />,
          }}
          nothing={{ title: said.nothing, onClear: () => setFilter("all") }}
        >
          <DataTable
            label={said.label}
            columns={columns}
            rows={rows}
            rowId={(one) => one.id}
            rowName={(one) => one.operation}
            onOpen={(one) => open(one.id)}
            {...(current === undefined ? {} : { current })}
          />
        </FourFaces>
      </div>
    </>
  );
}

type UsualLengths = Map<string | null, number | null> | undefined;

function fits(step: RunStep, filter: Filter, usual: UsualLengths): boolean {
  switch (filter) {
    case "all":
      return true;
    case "failed":
      return step.ended_as === "failed" || step.failures > 0;
    case "waiting":
      return step.ended_as === null && !step.claimed;
    case "slow": {
      const p95 = usual?.get(step.operation);
      return p95 != null && step.duration !== null && step.duration > p95;
    }
  }
}
