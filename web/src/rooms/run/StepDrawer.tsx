/** One operation: why it is where it is, its error, its result, its tries. */

import { Button, Skeleton } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { api, fetchOk, ok } from "@/api/client";
import { useMay } from "@/api/session";
import { CodeBlock } from "@/components/CodeBlock";
import { CopyButton } from "@/components/CopyButton";
import { Duration } from "@/components/Duration";
import { Instant } from "@/components/Instant";
import { JsonView } from "@/components/JsonView";
import { marked } from "@/components/marked";
import { RoleGate } from "@/components/RoleGate";
import { SideDrawer } from "@/components/SideDrawer";
import { StateBadge } from "@/components/StateBadge";
import { bytes } from "@/lib/time";
import { run as words } from "@/strings/run";
import { failureOf } from "./failure";
import { stateOf, waited } from "./pieces";
import { hasEnded, type RunDetail, type RunStep, stepQuery, whyQuery } from "./queries";
import classes from "./StepDrawer.module.css";

const said = words.drawer;

interface Props {
  run: RunDetail;
  steps: readonly RunStep[];
  id: string | undefined;
  onClose: () => void;
}

export function StepDrawer({ run, steps, id, onClose }: Props) {
  const step = steps.find((one) => one.id === id || one.operation === id);
  return (
    <SideDrawer
      opened={id !== undefined}
      onClose={onClose}
      title={
        step ? (
          <span className="sw-row">
            <StateBadge state={stateOf(step)} />
            {step.operation}
          </span>
        ) : (
          said.operation
        )
      }
    >
      {step ? <Content run={run} step={step} /> : <p>{said.notBegun}</p>}
    </SideDrawer>
  );
}

function Content({ run, step }: { run: RunDetail; step: RunStep }) {
  return (
    <div className={classes.content}>
      {step.ended_as === null && !hasEnded(run) ? <Waits run={run} step={step} /> : null}
      {step.description && step.ended_as !== "done" ? (
        <Failed description={step.description} />
      ) : null}
      {step.description && step.ended_as === "done" ? <p>{step.description}</p> : null}
      <Numbers step={step} />
      <Result runId={run.id} step={step} />
      <Given step={step} />
      <Section title={said.container}>
        <Containers run={run} />
      </Section>
      <Section title={said.reproduce}>
        <CodeBlock label={said.reproduce} wrap>
          {run.reproduce}
        </CodeBlock>
      </Section>
      <div className="sw-row sw-wrap">
        <Button
          variant="default"
          renderRoot={(props) => (
            <Link
              {...props}
              from="/runs/$runId"
              to="/runs/$runId"
              search={{ tab: "logs", operation: step.operation }}
            />
          )}
        >
          {said.logs}
        </Button>
        <span className="sw-soft">
          {said.id} <code>{step.id}</code> <CopyButton value={step.id} label={said.id} />
        </span>
      </div>
    </div>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes.section}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Waits({ run, step }: { run: RunDetail; step: RunStep }) {
  const client = useQueryClient();
  const { data } = useQuery(whyQuery(run.id, step.id));
  const activate = useMutation({
    mutationFn: () =>
      ok(
        api.POST("/api/v1/steps/{step_id}/activations", {
          params: { path: { step_id: step.id } },
          body: { reason: words.why.actReason },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["run", run.id] }),
  });
  if (data === undefined) return <Skeleton height={40} />;
  const later = Date.parse(step.due_at) > Date.now() && run.waiting?.code !== "approval";
  return (
    <div className={classes.waits}>
      <p>{marked(data.sentence)}</p>
      {data.reason?.changes ? (
        <p className="sw-soft">
          {words.why.changes} {data.reason.changes}
        </p>
      ) : null}
      {data.then_also.map((one) => (
        <p key={one.code} className="sw-soft">
          {words.why.also}: {marked(one.sentence)}
        </p>
      ))}
      {later ? (
        <RoleGate needs="operator">
          <Button variant="default" loading={activate.isPending} onClick={() => activate.mutate()}>
            {step.failures > 0 ? said.retryNow : said.wake}
          </Button>
        </RoleGate>
      ) : null}
    </div>
  );
}

/** The chain of causes first, then where, our own frames before those of libraries. */
function Failed({ description }: { description: string }) {
  const { chain, frames, rest } = failureOf(description);
  return (
    <section className={classes.error} aria-label={said.error}>
      <div className="sw-row sw-between">
        <h3>{said.error}</h3>
        <CopyButton value={description} label={said.copyError} />
      </div>
      <ol className={classes.chain}>
        {chain.map((one) => (
          <li key={one}>{one}</li>
        ))}
      </ol>
      {frames.length > 0 ? (
        <ul className={classes.frames} aria-label={said.ownFrames}>
          {frames.map((one) => (
            <li key={one.place}>
              <code>{one.place}</code>
              {one.code ? <code className={classes.line}>{one.code}</code> : null}
            </li>
          ))}
        </ul>
      ) : null}
      {rest.length > 0 ? (
        <CodeBlock label={said.error} wrap>
          {rest.join("\n")}
        </CodeBlock>
      ) : null}
    </section>
  );
}

function Numbers({ step }: { step: RunStep }) {
  return (
    <dl className={classes.numbers}>
      <Fact name={said.took}>
        <Duration seconds={step.duration} />
      </Fact>
      <Fact name={said.waited}>
        <Duration seconds={waited(step)} />
      </Fact>
      <Fact name={said.executions}>{step.executions}</Fact>
      <Fact name={said.failures}>{step.failures}</Fact>
      <Fact name={said.lost}>{step.lost}</Fact>
      {step.ended_as === null ? (
        <Fact name={said.due}>
          <Instant at={step.due_at} />
        </Fact>
      ) : (
        <Fact name={words.started}>
          <Instant at={step.started_at} />
        </Fact>
      )}
      {step.executed_by ? (
        <Fact name={said.by}>
          <code>{step.executed_by}</code>
        </Fact>
      ) : null}
      {step.copy_of ? (
        <Fact name={said.reused}>
          <code>…{step.copy_of.slice(-12)}</code>
        </Fact>
      ) : null}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A result; one that is too large for its row is fetched when it is asked for. */
export function Result({ runId, step }: { runId: string; step: RunStep }) {
  const large = step.result_link !== null;
  const found = useQuery({
    queryKey: ["run", runId, "result", step.id],
    enabled: false,
    queryFn: async () => (await fetchOk(`/api/v1/runs/${runId}/steps/${step.id}/result`)).text(),
  });
  if (step.result_size === 0) return null;
  return (
    <Section title={said.result}>
      {large && found.data === undefined ? (
        <div className="sw-row">
          <span>{words.result.large(bytes(step.result_size))}</span>
          <Button variant="default" loading={found.isFetching} onClick={() => void found.refetch()}>
            {words.result.load}
          </Button>
        </div>
      ) : (
        <Value value={large ? parsed(found.data ?? "") : step.result} text={found.data} />
      )}
    </Section>
  );
}

function Value({ value, text }: { value: unknown; text: string | undefined }) {
  if (typeof value === "string" && value.includes("\n")) {
    return (
      <CodeBlock label={said.result} wrap>
        {value}
      </CodeBlock>
    );
  }
  return <JsonView value={value} label={said.result} {...(text === undefined ? {} : { text })} />;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** State and arguments of the engine's row: for operators, as the API has it. */
function Given({ step }: { step: RunStep }) {
  const may = useMay("operator");
  const { data } = useQuery({ ...stepQuery(step.id), enabled: may });
  if (!data) return null;
  return (
    <>
      <Section title={said.why}>
        <p className={classes.plain}>{data.explanation}</p>
      </Section>
      {data.state != null || data.activation_args != null ? (
        <Section title={said.input}>
          <JsonView
            value={{ state: data.state, arguments: data.activation_args }}
            label={said.input}
          />
        </Section>
      ) : null}
    </>
  );
}

function Containers({ run }: { run: RunDetail }) {
  return (
    <ul className={classes.containers}>
      {run.attempts.map((one) => {
        const code = one.exit?.code;
        return (
          <li key={one.number}>
            <strong>{words.attempt(one.number)}</strong> <Instant at={one.queued_at} />{" "}
            {one.condition ?? ""}
            {typeof code === "number" && code !== 0 ? ` ${words.logs.exit} ${code}.` : ""}
          </li>
        );
      })}
    </ul>
  );
}
