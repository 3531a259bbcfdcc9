import { Tabs } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useMemo } from "react";
import { ErrorPage } from "@/components/ErrorPage";
import { ErrorFace, SkeletonRows } from "@/components/FourFaces";
import { PageHeader } from "@/components/PageHeader";
import { UpLink } from "@/components/UpLink";
import { useKeys } from "@/lib/keys";
import { usePrefs } from "@/lib/prefs";
import { ScheduleZone } from "@/lib/zone";
import { run as words } from "@/strings/run";
import { RunActions } from "./Actions";
import { ChangesTab } from "./ChangesTab";
import { Facts, Heading, Sentence } from "./Header";
import { LogsTab } from "./LogsTab";
import { hasEnded, type RunDetail, runQuery, scheduleQuery, stepsQuery } from "./queries";
import { ResultTab } from "./ResultTab";
import classes from "./RunPage.module.css";
import { StepDrawer } from "./StepDrawer";
import { StepsTab } from "./StepsTab";
import { TimelineTab } from "./TimelineTab";
import { useAllPages } from "./useAllPages";
import { useLastLook } from "./useLastLook";
import { WhyPanel } from "./WhyPanel";

const GraphTab = lazy(() => import("./GraphTab").then((found) => ({ default: found.GraphTab })));

const TABS = ["timeline", "graph", "steps", "logs", "result", "changes"] as const;
type Tab = (typeof TABS)[number];

export function RunPage() {
  const { runId } = useParams({ from: "/shell/runs/$runId" });
  const { data: run, error, refetch } = useQuery(runQuery(runId));
  if (error && !run) {
    return (
      <ErrorPage
        title={words.unnamed(runId)}
        above={<UpLink to="/runs">{words.back}</UpLink>}
        error={error}
        onRetry={() => void refetch()}
      />
    );
  }
  if (!run) return <SkeletonRows rows={10} />;
  return <Placed run={run} />;
}

/** With the zone of its schedule, for who has chosen to read times in that. */
function Placed({ run }: { run: RunDetail }) {
  const { zone } = usePrefs();
  const wanted = zone === "schedule" ? run.schedule_id : null;
  const { data } = useQuery({ ...scheduleQuery(wanted ?? ""), enabled: wanted !== null });
  const there = data?.spec.timezone;
  return (
    <ScheduleZone value={typeof there === "string" ? there : null}>
      <Page run={run} />
    </ScheduleZone>
  );
}

function Page({ run }: { run: RunDetail }) {
  const search = useSearch({ from: "/shell/runs/$runId" });
  const navigate = useNavigate({ from: "/runs/$runId" });
  const { steps, loading, error, more } = useSteps(run);
  const tab: Tab = search.tab ?? "timeline";

  const open = useCallback(
    (step: string | undefined) =>
      void navigate({ search: (old) => ({ ...old, step }), replace: search.step !== undefined }),
    [navigate, search.step],
  );
  const goTo = useCallback(
    (next: Tab) =>
      void navigate({
        replace: true,
        search: (old) => ({ ...old, tab: next === "timeline" ? undefined : next }),
      }),
    [navigate],
  );
  useKeys({
    t: () =>
      void navigate({
        search: (old) => ({ ...old, table: old.table ? undefined : true }),
        replace: true,
      }),
  });

  const shown = { run, steps, open, current: search.step };
  return (
    <>
      <PageHeader
        title={words.title(run.workflow)}
        heading={<Heading run={run} />}
        lead={<Sentence run={run} />}
        actions={<RunActions run={run} />}
        above={<UpLink to="/runs">{words.back}</UpLink>}
      />
      <Facts run={run} />
      <WhyPanel run={run} />
      <Tabs
        value={tab}
        onChange={(value) => goTo(TABS.find((one) => one === value) ?? "timeline")}
        className={classes.tabs}
      >
        <Tabs.List>
          {TABS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {words.tabs[one]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <div className={classes.panel}>
          {error ? <ErrorFace error={error} /> : null}
          <Tabs.Panel value="timeline">
            <TimelineTab {...shown} asTable={search.table === true} attempt={search.attempt} />
          </Tabs.Panel>
          <Tabs.Panel value="graph">
            {search.table ? (
              <StepsTab {...shown} loading={loading} more={more} />
            ) : (
              <Suspense fallback={<SkeletonRows rows={6} />}>
                <GraphTab {...shown} />
              </Suspense>
            )}
          </Tabs.Panel>
          <Tabs.Panel value="steps">
            <StepsTab {...shown} loading={loading} more={more} />
          </Tabs.Panel>
          <Tabs.Panel value="logs">
            <LogsTab run={run} />
          </Tabs.Panel>
          <Tabs.Panel value="result">
            <ResultTab run={run} steps={steps} />
          </Tabs.Panel>
          <Tabs.Panel value="changes">
            <ChangesTab run={run} />
          </Tabs.Panel>
        </div>
      </Tabs>
      <StepDrawer run={run} steps={steps} id={search.step} onClose={() => open(undefined)} />
    </>
  );
}

/** All operations of the run: the first page at once, the others as they come. */
function useSteps(run: RunDetail) {
  const goesOn = !hasEnded(run);
  const found = useInfiniteQuery(stepsQuery(run.id, goesOn));
  useAllPages(found);
  useLastLook(goesOn, found.refetch);
  const { data, hasNextPage } = found;
  const steps = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  return {
    steps,
    loading: found.isLoading,
    error: data === undefined ? found.error : null,
    more: hasNextPage,
  };
}
