import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { CopyButton } from "@/components/CopyButton";
import { Instant } from "@/components/Instant";
import { MeasuredCharts } from "@/components/MeasuredCharts";
import { OutcomeBars } from "@/components/OutcomeBars";
import { fieldsOf } from "@/components/parameters";
import { duration, percent } from "@/lib/time";
import { workflows as words } from "@/strings/workflows";
import { barsOf, inWords } from "./outcomes";
import { measuredQuery, type WorkflowDetail } from "./queries";
import classes from "./Workflows.module.css";

interface Operation {
  name: string;
  description?: string;
  retries?: number;
  timeout?: number | null;
  halt_on_error?: boolean;
  tags?: string[];
}

export function Overview({ detail }: { detail: WorkflowDetail }) {
  const operations = (detail.entry.operations ?? []) as Operation[];
  return (
    <>
      <Figures detail={detail} />
      <div className={classes.two}>
        <div>
          <h2 className={classes.section}>{words.operations}</h2>
          <ol className={`sw-panel ${classes.course}`}>
            {operations.map((one) => (
              <li key={one.name}>
                <strong>{one.name}</strong>{" "}
                <span className={classes.tags}>
                  {factsOf(one).map((text) => (
                    <span key={text}>{text}</span>
                  ))}
                </span>
                {one.description ? <p className="sw-soft">{one.description}</p> : null}
              </li>
            ))}
          </ol>
          <h2 className={`${classes.section} ${classes.gap}`}>{words.parameters}</h2>
          <Parameters schema={detail.entry.parameters} />
        </div>
        <Facts detail={detail} />
      </div>
    </>
  );
}

function factsOf(one: Operation): string[] {
  const found: string[] = [];
  if (one.retries) found.push(one.retries === 1 ? "1 retry" : `${one.retries} retries`);
  if (one.timeout != null) found.push(`${duration(one.timeout)} timeout`);
  if (one.halt_on_error === false) found.push("goes on after an error");
  return [...found, ...(one.tags ?? [])];
}

function Parameters({ schema }: { schema: unknown }) {
  const fields = fieldsOf(schema);
  if (fields.length === 0) return <p className="sw-soft">{words.parameterless}</p>;
  return (
    <div className="sw-panel">
      <table className={classes.parameters}>
        <tbody>
          {fields.map((one) => (
            <tr key={one.name}>
              <th scope="row">
                <code>{one.name}</code>
              </th>
              <td className="sw-soft">
                {one.choices.length > 0 ? one.choices.join(" | ") : one.kind}
              </td>
              <td>{one.required ? words.required : <code>{one.fallback}</code>}</td>
              <td className="sw-soft">{one.description}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Facts({ detail }: { detail: WorkflowDetail }) {
  const { entry } = detail;
  const since = detail.versions.at(0);
  return (
    <dl className={`sw-panel ${classes.facts}`}>
      <Fact label={words.facts.release}>
        {words.releaseOf(detail.since)}
        {since === undefined ? null : (
          <span className="sw-soft">
            {" "}
            · <Instant at={since.created_at} as="ago" /> · {since.created_by}
          </span>
        )}
      </Fact>
      <Fact label={words.facts.next}>
        {detail.paused ? words.paused : <Instant at={detail.next_due} as="ago" />}
      </Fact>
      <Fact label={words.facts.owner}>{detail.owner ?? words.none}</Fact>
      <Fact label={words.facts.tags}>
        {detail.tags.length === 0 ? (
          words.none
        ) : (
          <span className={classes.tags}>
            {detail.tags.map((one) => (
              <span key={one}>{one}</span>
            ))}
          </span>
        )}
      </Fact>
      <Fact label={words.facts.deadline}>
        {typeof entry.deadline === "number" ? duration(entry.deadline) : words.none}
      </Fact>
      <Fact label={words.facts.class}>
        <code>{String(entry.class ?? words.none)}</code>
      </Fact>
      <Fact label={words.facts.digest}>
        <span className="sw-row">
          <code className="sw-truncate">{detail.digest}</code>
          <CopyButton value={detail.digest} label={words.facts.digest} />
        </span>
      </Fact>
    </dl>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Figures({ detail }: { detail: WorkflowDetail }) {
  const found = useQuery(measuredQuery(detail.group, detail.workflow));
  const total = found.data?.total;
  return (
    <>
      <dl className={`sw-panel ${classes.figures}`}>
        <Figure
          label={words.columns.outcomes}
          value={
            detail.outcomes.length === 0 ? (
              <small>{words.noOutcomes}</small>
            ) : (
              <OutcomeBars outcomes={barsOf(detail.outcomes)} label={inWords(detail.outcomes)} />
            )
          }
        />
        <Figure
          label={`${words.figures.success}, ${words.window}`}
          value={
            total?.success_rate == null ? (
              words.none
            ) : (
              <>
                {percent(total.success_rate)}{" "}
                <small>{words.runs(total.succeeded, total.judged)}</small>
              </>
            )
          }
        />
        <Figure label={words.figures.p50} value={seconds(total?.duration.p50)} />
        <Figure label={words.figures.p95} value={seconds(total?.duration.p95)} />
        <Figure label={words.figures.average} value={seconds(total?.duration.average)} />
      </dl>
      {found.data !== undefined && found.data.points.length > 0 ? (
        <MeasuredCharts window={words.window} measured={found.data} />
      ) : null}
    </>
  );
}

function seconds(value: number | null | undefined): string {
  return value == null ? words.none : duration(value);
}

function Figure({ label, value }: { label: string; value: ReactNode }) {
  return (
    <div className={classes.figure}>
      <dt className="sw-label">{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}
