/** One operation: why it is where it is, its error, its result, its tries. */

import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { fetchOk } from "@/api/client";
import { useMay } from "@/api/session";
import { CodeBlock } from "@/components/CodeBlock";
import { CopyButton } from "@/components/CopyButton";
import { Duration } from "@/components/Duration";
import { Instant } from "@/components/Instant";
import { JsonView } from "@/components/JsonView";
import { SideDrawer } from "@/components/SideDrawer";
import { StateBadge } from "@/components/StateBadge";
import { parseExact } from "@/lib/exact";
import { bytes } from "@/lib/time";
import { run as words } from "@/strings/run";
import { failureOf } from "./failure";
import { stateOf, waited } from "./pieces";
import { type RunDetail, type RunStep, stepQuery } from "./queries";
import classes from "./StepDrawer.module.css";
import { WhyPanel } from "./WhyPanel";

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
          (id ?? said.operation)
        )
      }
    >
      {step ? <Content run={run} step={step} /> : <NotBegun run={run} id={id} />}
    </SideDrawer>
  );
}

/** There is no row of it yet: what stands before it is known all the same. */
function NotBegun({ run, id }: { run: RunDetail; id: string | undefined }) {
  return (
    <>
      <p>{said.notBegun}</p>
      {id !== undefined && run.operations.includes(id) ? <WhyPanel run={run} step={id} /> : null}
    </>
  );
}

function Content({ run, step }: { run: RunDetail; step: RunStep }) {
  return (
    <div className={classes.content}>
      {step.ended_as === null ? <WhyPanel run={run} step={step.id} /> : null}
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
    return parseExact(text);
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
