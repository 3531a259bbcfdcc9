/** What came out: results, reports with a preview, state that was written. */

import { Anchor, Button } from "@mantine/core";
import { IconFile } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { ErrorFace, SkeletonRows } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { contentOf, ReportPreview } from "@/components/ReportPreview";
import { SideDrawer } from "@/components/SideDrawer";
import { bytes } from "@/lib/time";
import { run as words } from "@/strings/run";
import { changesQuery, type Report, type RunDetail, type RunStep, reportsQuery } from "./queries";
import classes from "./ResultTab.module.css";
import { Result } from "./StepDrawer";

const said = words.result;

export function ResultTab({ run, steps }: { run: RunDetail; steps: readonly RunStep[] }) {
  const { report } = useSearch({ from: "/shell/runs/$runId" });
  const navigate = useNavigate({ from: "/runs/$runId" });
  const { data: reports, error, isLoading, refetch } = useQuery(reportsQuery(run.id));
  const show = (id: string | undefined) =>
    void navigate({ search: (old) => ({ ...old, report: id, step: undefined }), replace: true });
  const current = reports?.items.find((one) => one.id === report);
  return (
    <div className={classes.columns}>
      <section>
        <h2>{said.reports}</h2>
        {error ? <ErrorFace error={error} onRetry={() => void refetch()} /> : null}
        {isLoading ? <SkeletonRows rows={2} /> : null}
        {reports?.items.length === 0 ? <p className="sw-soft">{said.noReports}</p> : null}
        <ul className={classes.list}>
          {reports?.items.map((one) => (
            <ReportLine key={one.id} report={one} onShow={() => show(one.id)} />
          ))}
        </ul>
        <State run={run} />
      </section>
      <section>
        <h2>{said.results}</h2>
        {steps.every((one) => one.result_size === 0) ? (
          <p className="sw-soft">{said.noResults}</p>
        ) : null}
        {steps
          .filter((one) => one.result_size > 0)
          .slice(0, 100)
          .map((one) => (
            <details key={one.id} className={classes.result} open={steps.length <= 6}>
              <summary>
                <strong>{one.operation}</strong>{" "}
                <span className="sw-soft">{bytes(one.result_size)}</span>
              </summary>
              <Result runId={run.id} step={one} />
            </details>
          ))}
      </section>
      <SideDrawer
        opened={current !== undefined}
        onClose={() => show(undefined)}
        title={current ? said.preview(current.name) : ""}
        actions={
          current ? (
            <Button component="a" variant="default" href={contentOf(current)} download>
              {said.download}
            </Button>
          ) : null
        }
      >
        {current ? <ReportPreview report={current} /> : null}
      </SideDrawer>
    </div>
  );
}

function ReportLine({ report, onShow }: { report: Report; onShow: () => void }) {
  return (
    <li>
      <IconFile size={16} stroke={1.5} aria-hidden="true" />
      <Anchor component="button" type="button" onClick={onShow} size="sm" fw={560}>
        {report.name}
      </Anchor>
      <span className="sw-soft">
        {report.kind}, {bytes(report.size)}, {report.operation}
      </span>
      <span className="sw-grow" />
      <Instant at={report.created_at} />
    </li>
  );
}

/** Keys that this run has written, as far as a comparison tells. */
function State({ run }: { run: RunDetail }) {
  const { data } = useQuery(changesQuery(run.id));
  const keys = data?.comparison?.state.filter((one) => one.run_id === run.id) ?? [];
  if (data?.comparison == null) return null;
  return (
    <>
      <h2 className={classes.second}>{said.state}</h2>
      {keys.length === 0 ? <p className="sw-soft">{said.noState}</p> : null}
      <ul className={classes.list}>
        {keys.map((one) => (
          <li key={`${one.scope} ${one.key}`}>
            <code>
              {one.scope}/{one.key}
            </code>
            <span className="sw-soft">
              {one.deleted ? said.deleted : said.version(one.version)}, {one.written_by}
            </span>
            <span className="sw-grow" />
            <Instant at={one.written_at} />
          </li>
        ))}
      </ul>
    </>
  );
}
