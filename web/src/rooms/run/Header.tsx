import { Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { CopyButton } from "@/components/CopyButton";
import { Duration } from "@/components/Duration";
import { Instant } from "@/components/Instant";
import { StateBadge } from "@/components/StateBadge";
import { cx } from "@/lib/cx";
import { exactText } from "@/lib/exact";
import { number } from "@/lib/time";
import { run as words } from "@/strings/run";
import classes from "./Header.module.css";
import { causeQuery, type RunDetail } from "./queries";

export function Heading({ run }: { run: RunDetail }) {
  return (
    <span className={classes.heading}>
      <StateBadge state={run.state} size="md" />
      <span>
        <span className={classes.group}>{run.group}/</span>
        {run.workflow}
      </span>
      <span className={classes.id}>
        <code>…{run.id.slice(-12)}</code>
        <CopyButton value={run.id} label="id" />
      </span>
    </span>
  );
}

const said = words.sentence;

/** The first line of an error, without what the header says already. */
export function short(reason: string): string {
  return reason.replace(/^The operation [\w-]+ failed: /, "").split("\n")[0] ?? "";
}

/** What became of it, in a sentence; each clause that is a thing leads there. */
export function Sentence({ run }: { run: RunDetail }) {
  return (
    <>
      <Said run={run} />
      {run.reexecution_of ? (
        <Other id={run.reexecution_of} text={said.again} link={said.showFirst} />
      ) : null}
      {run.repeat_of ? (
        <Other id={run.repeat_of} text={said.repeats} link={said.showFirst} />
      ) : null}
    </>
  );
}

function Said({ run }: { run: RunDetail }): ReactNode {
  switch (run.state) {
    case "succeeded":
      return run.warnings > 0 ? said.warnings(run.warnings) : said.succeeded;
    case "failed":
      return <Failed run={run} />;
    case "superseded":
      return <Other id={run.superseded_by ?? ""} text={said.superseded} link={said.showOther} />;
    case "cancelled":
      return `${said.cancelled}${run.reason ? `: ${run.reason}` : "."}`;
    case "cancelling":
      return said.cancelling;
    case "waiting":
    case "starting":
      return null; // the panel below says what for
    default:
      return <Doing run={run} />;
  }
}

function Doing({ run }: { run: RunDetail }) {
  const told = run.progress;
  if (told === null) return said.running;
  const share = told.fraction === null ? "" : `, ${Math.round(told.fraction * 100)} %`;
  return (
    <>
      {said.running} <em>{told.operation}</em>
      {share}
      {told.note ? `: ${told.note}` : ""}
    </>
  );
}

function Failed({ run }: { run: RunDetail }) {
  const { data } = useQuery({
    ...causeQuery(run.fingerprint ?? ""),
    enabled: run.fingerprint !== null && run.fingerprint !== undefined,
  });
  const others = (data?.count ?? 0) - 1;
  return (
    <>
      {run.failed_operation ? (
        <>
          {said.failedIn} <em>{run.failed_operation}</em>
        </>
      ) : (
        said.failed
      )}
      {run.reason ? `: ${short(run.reason)}` : ""}{" "}
      {run.failed_operation ? (
        <>
          <Link
            to="/runs/$runId"
            params={{ runId: run.id }}
            search={{ tab: "logs", operation: run.failed_operation }}
          >
            {said.log}
          </Link>{" "}
        </>
      ) : null}
      {others > 0 && data ? (
        <Link to="/runs" search={{ q: `cause:${run.fingerprint} state:failed` }}>
          {said.sameCause(data.more ? data.shown : number(others))}
        </Link>
      ) : null}
    </>
  );
}

function Other({ id, text, link }: { id: string; text: string; link: string }) {
  return (
    <>
      {" "}
      {text}{" "}
      <Link to="/runs/$runId" params={{ runId: id }} search={{}}>
        {link}
      </Link>
    </>
  );
}

/** What it is: release, trigger, input, times. */
export function Facts({ run }: { run: RunDetail }) {
  const input = Object.entries(run.parameters);
  return (
    <dl className={classes.facts}>
      <Fact name={words.started}>
        <Instant at={run.started_at ?? run.created_at} />
      </Fact>
      <Fact name={words.took}>
        <Duration since={run.started_at} until={run.finished_at} />
      </Fact>
      <Fact name={words.trigger}>
        {run.trigger}
        <span className="sw-soft"> · {run.requested_by}</span>
      </Fact>
      <Fact name={words.image}>
        <Tooltip label={run.digest}>
          <span>
            {run.release.number === null ? words.trial : words.release(String(run.release.number))}
          </span>
        </Tooltip>
        {run.release.current || run.release.number === null ? null : (
          <span className={classes.old}>{words.notCurrent}</span>
        )}
      </Fact>
      {Object.keys(run.labels).length > 0 ? (
        <Fact name={words.labels}>
          {Object.entries(run.labels).map(([key, value]) => (
            <Link
              key={key}
              to="/runs"
              search={{ q: `label:${key}=${value}` }}
              className={classes.chip}
            >
              {key}={value}
            </Link>
          ))}
        </Fact>
      ) : null}
      <Fact name={words.input} wide>
        {input.length === 0 ? <span className="sw-soft">{words.noInput}</span> : null}
        {input.map(([name, value]) => (
          <span key={name} className={classes.chip}>
            <span className="sw-soft">{name}</span>{" "}
            <code>{typeof value === "string" ? value : exactText(value)}</code>
          </span>
        ))}
      </Fact>
    </dl>
  );
}

function Fact({
  name,
  wide = false,
  children,
}: {
  name: string;
  wide?: boolean;
  children: ReactNode;
}) {
  return (
    <div className={cx(classes.fact, wide && classes.wide)}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
