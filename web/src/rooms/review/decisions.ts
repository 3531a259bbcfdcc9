/** What a reviewer has chosen, and the one act that comes of it. Pure. */

import type { Schemas } from "@/api/client";

export type Choice = Schemas["Choice"];

export interface Chosen {
  choice: Choice;
  /** Ends a hold; an instant. */
  until?: string;
}

export type Choices = Readonly<Record<string, Chosen>>;

type Workflow = Pick<Schemas["WorkflowReview"], "workflow" | "standing" | "decided">;

/** Those about which there is something to decide, in the order of the list. */
export function decidable<W extends Workflow>(workflows: readonly W[]): W[] {
  return workflows.filter((one) => one.standing !== "same");
}

export function choose(choices: Choices, workflow: string, chosen: Chosen | null): Choices {
  const { [workflow]: _, ...rest } = choices;
  return chosen === null ? rest : { ...rest, [workflow]: chosen };
}

/** The same choice for all about which nothing was said yet. */
export function chooseRest(
  choices: Choices,
  workflows: readonly Workflow[],
  choice: Choice,
): Choices {
  const open = decidable(workflows).filter((one) => choices[one.workflow] === undefined);
  return { ...choices, ...Object.fromEntries(open.map((one) => [one.workflow, { choice }])) };
}

/** `3 accepts, 1 reject`. */
export function inWords(choices: Choices): string {
  const counts = { accept: 0, reject: 0, hold: 0 };
  for (const one of Object.values(choices)) counts[one.choice] += 1;
  return (["accept", "reject", "hold"] as const)
    .filter((choice) => counts[choice] > 0)
    .map((choice) => `${counts[choice]} ${choice}${counts[choice] === 1 ? "" : "s"}`)
    .join(", ");
}

/** The next workflow without a choice behind this one, else the one behind it. */
export function nextOpen(
  workflows: readonly Workflow[],
  at: string,
  choices: Choices,
): string | undefined {
  const names = decidable(workflows).map((one) => one.workflow);
  const here = names.indexOf(at);
  const order = [...names.slice(here + 1), ...names.slice(0, Math.max(here, 0))];
  return order.find((name) => choices[name] === undefined) ?? names[here + 1];
}

/** What is sent: only what was chosen; all else stays as it is. */
export function bodyOf(
  choices: Choices,
  release: number | null,
  reason: string,
): Schemas["Decisions"] {
  return {
    decisions: Object.entries(choices).map(([workflow, chosen]) => ({
      workflow,
      decision: chosen.choice,
      ...(chosen.until === undefined ? {} : { until: chosen.until }),
    })),
    rest: "hold",
    against_release: release ?? 0,
    reason: reason === "" ? null : reason,
  };
}

/** The commands that do the same. */
export function commands(group: string, choices: Choices, reason: string): string {
  const said = reason === "" ? "" : ` --reason ${JSON.stringify(reason)}`;
  const verbs = { accept: "approve", reject: "reject", hold: "hold" } as const;
  return (["accept", "reject", "hold"] as const)
    .map((choice) => {
      const names = Object.keys(choices).filter((name) => choices[name]?.choice === choice);
      return names.length === 0
        ? ""
        : `stepwell groups ${verbs[choice]} ${group} ${names.join(" ")}${said}`;
    })
    .filter((line) => line !== "")
    .join("\n");
}
