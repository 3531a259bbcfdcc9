import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { CodeBlock } from "@/components/CodeBlock";
import { CopyAs } from "@/components/CopyAs";
import { CopyButton } from "@/components/CopyButton";
import { ErrorFace, SkeletonRows } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { JsonView } from "@/components/JsonView";
import { RoleGate } from "@/components/RoleGate";
import { SideDrawer } from "@/components/SideDrawer";
import { StateBadge } from "@/components/StateBadge";
import { duration } from "@/lib/time";
import { steps as words } from "@/strings/steps";
import { type Act, ActDialog } from "./ActDialog";
import { LineageGraph } from "./LineageGraph";
import { type StepDetail, stateOf, stepQuery } from "./queries";
import classes from "./Steps.module.css";

interface Props {
  id: string;
  onShow: (id: string) => void;
  onClose: () => void;
}

/** One step: why it is where it is, what it was given, what came of it, and its family. */
export function StepDrawer({ id, onShow, onClose }: Props) {
  const found = useQuery(stepQuery(id));
  const [act, setAct] = useState<Act | null>(null);
  const one = found.data;
  return (
    <SideDrawer
      opened
      onClose={onClose}
      title={one?.name ?? id}
      actions={<CopyAs compact call={{ cli: `stepwell steps show ${id}`, path: `/steps/${id}` }} />}
    >
      {found.error ? (
        <ErrorFace error={found.error} onRetry={() => void found.refetch()} />
      ) : one === undefined ? (
        <SkeletonRows rows={8} />
      ) : (
        <>
          <div className={classes.head}>
            <StateBadge state={stateOf(one, Date.now())} size="md" />
            <span className="sw-grow" />
            <Acts one={one} onAct={setAct} />
          </div>
          <p className={classes.why}>{one.explanation}</p>
          {one.status === "failed" && one.description ? (
            <section>
              <h3>{words.error}</h3>
              <CodeBlock label={words.error} wrap>
                {one.description}
              </CodeBlock>
            </section>
          ) : null}
          <Facts one={one} />
          <Value title={words.state} value={one.state} />
          <Value title={words.args} value={one.activation_args} />
          <Value title={words.result} value={one.result} />
          <section>
            <h3>{words.lineage}</h3>
            <LineageGraph id={id} onShow={onShow} />
          </section>
          {act === null ? null : <ActDialog act={act} step={one} onClose={() => setAct(null)} />}
        </>
      )}
    </SideDrawer>
  );
}

function Acts({ one, onAct }: { one: StepDetail; onAct: (act: Act) => void }) {
  const ready = one.status === "ready";
  return (
    <div className="sw-row">
      <RoleGate needs="operator" blocked={ready ? null : words.onlyReady}>
        <Button variant="default" onClick={() => onAct("activate")}>
          {words.activate}
        </Button>
      </RoleGate>
      <RoleGate needs="operator" blocked={ready ? words.onlyEnded : null}>
        <Button variant="default" onClick={() => onAct("again")}>
          {words.again}
        </Button>
      </RoleGate>
      <RoleGate needs="operator" blocked={ready ? null : words.onlyReady}>
        <Button variant="default" color="red" onClick={() => onAct("end")}>
          {words.end}
        </Button>
      </RoleGate>
    </div>
  );
}

function Facts({ one }: { one: StepDetail }) {
  const navigate = useNavigate({ from: "/steps" });
  const { facts } = words;
  return (
    <dl className={classes.facts}>
      <Fact label={facts.id}>
        <code>{one.id}</code> <CopyButton value={one.id} label={facts.id} />
      </Fact>
      <Fact label={facts.flow}>
        <button
          type="button"
          className={classes.link}
          onClick={() => void navigate({ search: { flow_id: one.flow_id } })}
        >
          <code>{one.flow_id}</code>
        </button>
      </Fact>
      <Fact label={facts.queue}>{one.queue}</Fact>
      <Fact label={facts.priority}>{one.priority}</Fact>
      <Fact label={facts.created}>
        <Instant at={one.created_at} />
      </Fact>
      <Fact label={facts.due}>
        <Instant at={one.schedule_time} />
      </Fact>
      <Fact label={facts.started}>
        {one.execution_started_at && <Instant at={one.execution_started_at} />}
      </Fact>
      <Fact label={facts.ended}>{one.ended_at && <Instant at={one.ended_at} />}</Fact>
      <Fact label={facts.took}>
        {one.execution_duration === null ? null : duration(one.execution_duration)}
      </Fact>
      <Fact label={facts.tries}>
        {words.tries(one.execution_count, one.failure_count, one.lost_count)}
      </Fact>
      <Fact label={facts.by}>{one.executed_by}</Fact>
      <Fact label={facts.uniqueKey}>{one.unique_key}</Fact>
      <Fact label={facts.searchKey}>{one.search_key}</Fact>
      <Fact label={facts.correlation}>{one.correlation_id}</Fact>
      <Fact label={facts.fingerprint}>{one.fingerprint}</Fact>
      <Fact label={facts.limit}>{one.limit_key}</Fact>
      <Fact label={facts.rate}>{one.rate_key}</Fact>
    </dl>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  if (children === null || children === undefined || children === "") return null;
  return (
    <>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Value({ title, value }: { title: string; value: unknown }) {
  if (value === null || value === undefined) return null;
  return (
    <section>
      <h3>{title}</h3>
      <JsonView value={value} label={title} open={3} />
    </section>
  );
}
