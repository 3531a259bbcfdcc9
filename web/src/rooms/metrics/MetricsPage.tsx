import { Button, SegmentedControl, Select } from "@mantine/core";
import { IconDownload, IconZoomReset } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { workflowNamesQuery } from "@/api/workflows";
import { CopyAs } from "@/components/CopyAs";
import { ErrorFace, SkeletonRows } from "@/components/FourFaces";
import { MeasuredCharts } from "@/components/MeasuredCharts";
import { PageHeader } from "@/components/PageHeader";
import { apiAddress } from "@/lib/page";
import { writeSearch } from "@/lib/search";
import { common } from "@/strings/common";
import { metrics as words } from "@/strings/metrics";
import { Figures } from "./Figures";
import classes from "./Metrics.module.css";
import { Causes, Ranked, Regressions, Targets, Waits } from "./Parts";
import {
  measuredQuery,
  operationsQuery,
  RANGES,
  type Range,
  type Subject,
  windowOf,
} from "./queries";

const FROM = "/shell/metrics";

export function MetricsPage() {
  const search = useSearch({ from: FROM });
  const { group, workflow, operation, range = "7d", from, to } = search;
  const navigate = useNavigate({ from: "/metrics" });
  const subject = useMemo<Subject>(
    () => ({ group, workflow, operation }),
    [group, workflow, operation],
  );
  const window = useMemo(
    () => (from === undefined ? windowOf(range, Date.now()) : { from, to }),
    [range, from, to],
  );
  const found = useQuery(measuredQuery(subject, window));
  const named = from === undefined ? words.windows[range] : words.chosen;
  const query = writeSearch({ ...subject, ...window });
  const csv = `${apiAddress("/metrics/query")}${writeSearch({ ...subject, ...window, format: "csv" })}`;
  return (
    <>
      <PageHeader
        title={words.title}
        lead={words.lead}
        actions={
          <>
            <Button
              component="a"
              href={csv}
              download="stepwell-metrics.csv"
              variant="default"
              leftSection={<IconDownload size={14} />}
            >
              {words.csv}
            </Button>
            <CopyAs call={{ cli: command(subject), path: `/metrics/query${query}` }} />
          </>
        }
      />
      <div className={classes.filters}>
        <Pickers subject={subject} />
        <span className="sw-grow" />
        {from === undefined ? null : (
          <Button
            variant="subtle"
            leftSection={<IconZoomReset size={14} />}
            onClick={() =>
              void navigate({ search: (old) => ({ ...old, from: undefined, to: undefined }) })
            }
          >
            {words.zoomOut}
          </Button>
        )}
        <SegmentedControl
          aria-label={words.range}
          value={from === undefined ? range : ""}
          onChange={(next) =>
            void navigate({
              search: (old) => ({ ...old, range: next as Range, from: undefined, to: undefined }),
            })
          }
          data={RANGES.map((value) => ({ value, label: words.ranges[value] }))}
        />
      </div>
      {found.error ? (
        <ErrorFace error={found.error} onRetry={() => void found.refetch()} />
      ) : found.data === undefined ? (
        <SkeletonRows rows={12} />
      ) : (
        <div aria-busy={found.isPlaceholderData}>
          <Figures measured={found.data} />
          <p className="sw-soft">{found.data.total.judged === 0 ? words.noPoints : words.drag}</p>
          <MeasuredCharts
            measured={found.data}
            window={found.isPlaceholderData ? common.loading : named}
            onZoom={(since, until) =>
              void navigate({ search: (old) => ({ ...old, from: since, to: until }) })
            }
            onPoint={(since, until) =>
              void navigate({ to: "/runs", search: { q: queryOf(subject, since, until) } })
            }
          />
          <div className={classes.parts}>
            <Ranked
              subject={subject}
              window={window}
              by={search.by ?? (workflow === undefined ? "workflow" : "operation")}
              order={search.order ?? "average"}
              onChange={(next) =>
                void navigate({ search: (old) => ({ ...old, ...next }), replace: true })
              }
            />
            <Causes subject={subject} window={window} />
            <Waits waits={found.data.total.waits} />
            <Targets subject={subject} />
            <Regressions subject={subject} />
          </div>
        </div>
      )}
    </>
  );
}

/** Which workflow, and which of its operations. */
function Pickers({ subject }: { subject: Subject }) {
  const navigate = useNavigate({ from: "/metrics" });
  const names = useQuery(workflowNamesQuery);
  const detail = useQuery(operationsQuery(subject));
  const all = (names.data?.items ?? []).map((one) => `${one.group}/${one.workflow}`);
  const groups = [...new Set((names.data?.items ?? []).map((one) => one.group))];
  const operations = (detail.data?.entry.operations ?? []) as { name: string }[];
  const { group, workflow, operation } = subject;
  const value =
    group === undefined ? null : workflow === undefined ? `${group}/` : `${group}/${workflow}`;
  return (
    <>
      <Select
        aria-label={words.workflow}
        placeholder={words.everything}
        clearable
        searchable
        w={260}
        value={value}
        data={[
          {
            group: words.ranking.by.group,
            items: groups.map((one) => ({ value: `${one}/`, label: one })),
          },
          { group: words.ranking.by.workflow, items: all },
        ]}
        onChange={(next) => {
          const [of, name] = (next ?? "").split("/");
          void navigate({
            search: (old) => ({
              ...old,
              group: of || undefined,
              workflow: name || undefined,
              operation: undefined,
              by: undefined,
            }),
          });
        }}
      />
      {workflow === undefined ? null : (
        <Select
          aria-label={words.operation}
          placeholder={words.runsThemselves}
          clearable
          w={220}
          value={operation ?? null}
          data={operations.map((one) => one.name)}
          onChange={(next) =>
            void navigate({ search: (old) => ({ ...old, operation: next ?? undefined }) })
          }
        />
      )}
    </>
  );
}

function command({ group, workflow, operation }: Subject): string {
  const options = [
    group === undefined ? "" : ` --group ${group}`,
    workflow === undefined ? "" : ` --workflow ${workflow}`,
    operation === undefined ? "" : ` --operation ${operation}`,
  ];
  return `stepwell metrics${options.join("")}`;
}

function queryOf({ group, workflow }: Subject, since: string, until: string): string {
  return [
    group === undefined ? "" : `group:${group}`,
    workflow === undefined ? "" : `workflow:${workflow}`,
    `since:${since}`,
    `until:${until}`,
  ]
    .filter((one) => one !== "")
    .join(" ");
}
