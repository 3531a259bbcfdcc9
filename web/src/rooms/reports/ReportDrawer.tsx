import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { CodeBlock } from "@/components/CodeBlock";
import { ErrorFace, SkeletonRows } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { NumberField } from "@/components/NumberField";
import { ReasonDialog } from "@/components/ReasonDialog";
import { contentOf, ReportPreview } from "@/components/ReportPreview";
import { RoleGate } from "@/components/RoleGate";
import { SideDrawer } from "@/components/SideDrawer";
import { exactText } from "@/lib/exact";
import { reports as words } from "@/strings/reports";
import { comparisonQuery, type Report, reportQuery, share } from "./queries";
import classes from "./Reports.module.css";

/** A report as it is, and what it says differently from the one before of its name. */
export function ReportDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const found = useQuery(reportQuery(id));
  const [sharing, setSharing] = useState(false);
  const [link, setLink] = useState<string | null>(null);
  const report = found.data;
  return (
    <SideDrawer opened onClose={onClose} title={report === undefined ? "" : report.name}>
      {found.error ? (
        <ErrorFace error={found.error} onRetry={() => void found.refetch()} />
      ) : report === undefined ? (
        <SkeletonRows rows={6} />
      ) : (
        <>
          <p className={classes.where}>
            {report.group}/{report.workflow} · {report.operation} ·{" "}
            <Instant at={report.created_at} />
          </p>
          <div className={classes.acts}>
            <Button component="a" variant="default" href={contentOf(report)} download>
              {words.download}
            </Button>
            <RoleGate needs="operator">
              <Button variant="default" onClick={() => setSharing(true)}>
                {words.share}
              </Button>
            </RoleGate>
            <Link
              to="/runs/$runId"
              params={{ runId: report.run_id }}
              search={{ tab: "result", report: report.id }}
            >
              {words.openRun}
            </Link>
          </div>
          {link === null ? null : (
            <div className={classes.link}>
              <div className="sw-label">{words.shared}</div>
              <CodeBlock label={words.shared} wrap>
                {link}
              </CodeBlock>
            </div>
          )}
          <ReportPreview report={report} />
          <Comparison report={report} />
          {sharing ? (
            <Share report={report} onShared={setLink} onClose={() => setSharing(false)} />
          ) : null}
        </>
      )}
    </SideDrawer>
  );
}

function Comparison({ report }: { report: Report }) {
  const { data } = useQuery(comparisonQuery(report.id));
  if (data === undefined) return null;
  return (
    <section>
      <h3 className={classes.second}>{words.compare}</h3>
      {data.previous === null ? (
        <p className="sw-soft">{words.first}</p>
      ) : data.same ? (
        <p className="sw-soft">{words.same}</p>
      ) : data.changes.length > 0 ? (
        <ul className={classes.changes}>
          {data.changes.slice(0, 50).map((one) => (
            <li key={one.path}>
              <code>{one.path || "/"}</code>
              {one.kind === "added" ? null : <del>{exactText(one.before)}</del>}
              {one.kind === "removed" ? null : <ins>{exactText(one.after)}</ins>}
            </li>
          ))}
        </ul>
      ) : (
        <CodeBlock label={words.compare} tall>
          {data.diff.join("\n")}
        </CodeBlock>
      )}
      {data.truncated ? <p className="sw-soft">{words.truncated}</p> : null}
    </section>
  );
}

interface ShareProps {
  report: Report;
  onShared: (url: string) => void;
  onClose: () => void;
}

function Share({ report, onShared, onClose }: ShareProps) {
  const [days, setDays] = useState<number | string>(7);
  return (
    <ReasonDialog
      opened
      onClose={onClose}
      title={words.shareTitle(report.name)}
      submit={words.make}
      optional
      ready={typeof days === "number" && days > 0}
      cli={() => `stepwell reports share ${report.id} --days ${days}`}
      onSubmit={async (reason) => {
        const body = { days: Number(days), latest: false, reason: reason === "" ? null : reason };
        onShared((await share(report.id, body)).url);
      }}
    >
      <p className="sw-soft">{words.shareLead}</p>
      <NumberField label={words.days} value={days} min={1} max={365} onChange={setDays} />
    </ReasonDialog>
  );
}
