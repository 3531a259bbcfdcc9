import { Alert } from "@mantine/core";
import { useEffect, useRef } from "react";
import { marked } from "@/components/marked";
import { written } from "@/components/parameters";
import { duration } from "@/lib/time";
import { workflows as words } from "@/strings/workflows";
import type { RunPlan } from "./queries";
import classes from "./Workflows.module.css";

const said = words.dry;

/** What the server says a run would be, and what would hold it up. It has started nothing. */
export function DryRun({ plan }: { plan: RunPlan }) {
  const box = useRef<HTMLElement>(null);
  // On a phone it would be below what is seen.
  useEffect(() => {
    box.current?.scrollIntoView?.({ block: "nearest" });
  }, []);
  return (
    <section ref={box} className={`sw-panel ${classes.dry}`} aria-label={said.title} role="status">
      <strong>{plan.sentence}</strong>
      <Outlook plan={plan} />
      <dl className={classes.planned}>
        {factsOf(plan).map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {plan.launch === null
        ? null
        : plan.launch.notes.map((one) => (
            <p key={one} className="sw-soft">
              {one}
            </p>
          ))}
    </section>
  );
}

function Outlook({ plan }: { plan: RunPlan }) {
  if (plan.fails !== null) {
    return (
      <Alert color="red" title={said.fails}>
        {plan.fails}
      </Alert>
    );
  }
  if (plan.holds.length === 0) return <span>{said.free}</span>;
  return (
    <Alert color="sand" title={said.holds}>
      {plan.holds.map((one) => (
        <div key={one.code}>
          {marked(one.sentence)} <span className="sw-soft">{said.changes(one.changes)}</span>
        </div>
      ))}
    </Alert>
  );
}

function factsOf(plan: RunPlan): [string, string][] {
  const parameters = Object.entries(plan.parameters);
  const found: [string, string][] = [
    [said.image, plan.launch?.image ?? plan.digest],
    [said.parameters, parameters.map(([name, one]) => `${name}=${written(one)}`).join(" ")],
    [said.operations, plan.operations.join(" → ")],
    [said.approvals, plan.approvals.join(", ")],
    [said.deadline, duration(plan.deadline)],
    [said.pool, plan.pool ?? ""],
  ];
  return found.filter(([, value]) => value !== "");
}
