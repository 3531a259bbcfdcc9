/** Why something does not go on: one sentence, since when, until when, what holds it, what to do. */

import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconHourglassHigh } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { follow, type Schemas } from "@/api/client";
import { asApiError } from "@/api/error";
import { announce } from "@/lib/announce";
import { why as words } from "@/strings/why";
import { reasonFlag } from "./CopyAs";
import { CopyButton } from "./CopyButton";
import { InnerLink } from "./InnerLink";
import { Instant } from "./Instant";
import { marked } from "./marked";
import { ReasonDialog } from "./ReasonDialog";
import { RoleGate } from "./RoleGate";
import classes from "./Why.module.css";
import { asks, isAnswer, screenOf } from "./why";

type Found = Schemas["Why"];
type Reason = NonNullable<Found["reason"]>;
type Action = Schemas["Action"];

interface Props {
  found: Found;
  /** Something was done about it. */
  onActed: () => unknown;
}

export function Why({ found, onActed }: Props) {
  const { reason } = found;
  return (
    <section className={classes.panel} aria-label={words.title}>
      <IconHourglassHigh size={20} stroke={1.5} className={classes.icon} aria-hidden="true" />
      <div className="sw-grow">
        <p className={classes.sentence}>{marked(found.sentence)}</p>
        {reason ? <Line reason={reason} /> : null}
        {reason ? <Acts actions={reason.actions} onActed={onActed} /> : null}
        {found.then_also.length > 0 ? <Also reasons={found.then_also} /> : null}
        {Object.keys(found.diagnostics).length > 0 ? (
          <Diagnostics seen={found.diagnostics} />
        ) : null}
      </div>
    </section>
  );
}

function Line({ reason }: { reason: Reason }) {
  const held = reason.blocking;
  const screen = held ? screenOf(held.link) : null;
  return (
    <p className={classes.line}>
      <code className={classes.code}>{reason.code}</code>
      {reason.since ? (
        <span>
          {words.since} <Instant at={reason.since} as="ago" />
        </span>
      ) : null}
      {reason.changes ? (
        <span>
          {words.changes} {reason.changes}
        </span>
      ) : null}
      {held ? (
        <span>
          {words.blockedBy} {held.kind}{" "}
          {screen ? <InnerLink href={screen}>{held.name}</InnerLink> : <strong>{held.name}</strong>}
        </span>
      ) : null}
    </p>
  );
}

function Also({ reasons }: { reasons: readonly Reason[] }) {
  return (
    <details className={classes.also}>
      <summary>
        {words.also} {reasons.length}
      </summary>
      <ul>
        {reasons.map((one) => (
          <li key={one.code}>{marked(one.sentence)}</li>
        ))}
      </ul>
    </details>
  );
}

function Diagnostics({ seen }: { seen: Found["diagnostics"] }) {
  return (
    <details className={classes.also}>
      <summary>{words.diagnostics}</summary>
      <CopyButton value={() => JSON.stringify(seen, null, 2)} label={words.diagnostics} />
      <ul>
        {Object.entries(seen).map(([name, value]) => (
          <li key={name}>
            {name}: <code>{value}</code>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** What one call does has a button, what a screen is for a link; the command is always there. */
function Acts({ actions, onActed }: { actions: readonly Action[]; onActed: Props["onActed"] }) {
  if (actions.length === 0) return null;
  return (
    <ul className={classes.acts} aria-label={words.acts}>
      {actions.map((one) => (
        <li key={one.label}>
          <Act action={one} onActed={onActed} />
          <span className={classes.command}>
            <code>{one.command}</code>
            <CopyButton value={one.command} label={words.command(one.label)} />
          </span>
        </li>
      ))}
    </ul>
  );
}

function Act({ action, onActed }: { action: Action; onActed: Props["onActed"] }) {
  const label = capitalised(action.label);
  const path = action.path ?? null;
  // A run that asks has its two buttons at the head of its page, with what is asked.
  if (path === null || isAnswer(path)) return <span className={classes.label}>{label}</span>;
  if (action.method === "GET") {
    const screen = screenOf(path);
    if (screen === null) return <span className={classes.label}>{label}</span>;
    return (
      <InnerLink href={screen} className={classes.label}>
        {label}
      </InnerLink>
    );
  }
  return <Do action={action} label={label} onActed={onActed} />;
}

/** At once where nothing is lost by it; else with a dialog that asks why. */
function Do({
  action,
  label,
  onActed,
}: {
  action: Action;
  label: string;
  onActed: Props["onActed"];
}) {
  const [asked, setAsked] = useState(false);
  const act = useMutation({
    mutationFn: (reason: string) => follow(action, reason),
    onSuccess: () => {
      announce(label);
      return onActed();
    },
  });
  const begin = () => {
    if (asks(action)) setAsked(true);
    else
      act.mutate("", {
        onError: (error) => notifications.show({ color: "red", message: asApiError(error).what }),
      });
  };
  return (
    <>
      <RoleGate needs="operator">
        <Button variant="default" size="xs" loading={act.isPending && !asked} onClick={begin}>
          {label}
        </Button>
      </RoleGate>
      {asked ? (
        <ReasonDialog
          opened
          onClose={() => setAsked(false)}
          title={label}
          submit={label}
          optional
          cli={(reason) => `${action.command}${reasonFlag(reason)}`}
          onSubmit={(reason) => act.mutateAsync(reason)}
        />
      ) : null}
    </>
  );
}

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
