/** Why a run does not go on: one sentence, since when, until when, what holds it, what to do. */

import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconHourglassHigh } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, ok, type Schemas } from "@/api/client";
import { asApiError } from "@/api/error";
import { CopyButton } from "@/components/CopyButton";
import { Instant } from "@/components/Instant";
import { marked } from "@/components/marked";
import { RoleGate } from "@/components/RoleGate";
import { run as words } from "@/strings/run";
import { hasEnded, type RunDetail, whyQuery } from "./queries";
import classes from "./WhyPanel.module.css";

type Reason = NonNullable<Schemas["Why"]["reason"]>;

export function WhyPanel({ run }: { run: RunDetail }) {
  const { data } = useQuery({ ...whyQuery(run.id), enabled: !hasEnded(run) });
  if (hasEnded(run) || !data?.waiting || data.reason === null) return null;
  return (
    <section className={classes.panel} aria-label={words.why.title}>
      <IconHourglassHigh size={20} stroke={1.5} className={classes.icon} aria-hidden="true" />
      <div className="sw-grow">
        <p className={classes.sentence}>{marked(data.sentence)}</p>
        <ReasonLine reason={data.reason} runId={run.id} />
        {data.then_also.length > 0 ? (
          <details className={classes.also}>
            <summary>
              {words.why.also} {data.then_also.length}
            </summary>
            <ul>
              {data.then_also.map((one) => (
                <li key={one.code}>{marked(one.sentence)}</li>
              ))}
            </ul>
          </details>
        ) : null}
        {Object.keys(data.diagnostics).length > 0 ? (
          <details className={classes.also}>
            <summary>{words.why.diagnostics}</summary>
            <CopyButton
              value={() => JSON.stringify(data.diagnostics, null, 2)}
              label={words.why.diagnostics}
            />
            <ul>
              {Object.entries(data.diagnostics).map(([name, value]) => (
                <li key={name}>
                  {name}: <code>{value}</code>
                </li>
              ))}
            </ul>
          </details>
        ) : null}
      </div>
      <Act reason={data.reason} runId={run.id} />
    </section>
  );
}

function ReasonLine({ reason, runId }: { reason: Reason; runId: string }) {
  const held = reason.blocking;
  return (
    <p className={classes.line}>
      <code className={classes.code}>{reason.code}</code>
      {reason.since ? (
        <span>
          {words.why.since} <Instant at={reason.since} as="ago" />
        </span>
      ) : null}
      {reason.changes ? (
        <span>
          {words.why.changes} {reason.changes}
        </span>
      ) : null}
      {held ? (
        <span>
          {words.why.blockedBy} {held.kind}{" "}
          {held.link.startsWith(`/runs/${runId}?step=`) ? (
            <Link to="/runs/$runId" params={{ runId }} search={{ step: held.id }}>
              {held.name}
            </Link>
          ) : (
            <strong>{held.name}</strong>
          )}
        </span>
      ) : null}
      {reason.action ? (
        <span className={classes.command}>
          <code>{reason.action.command}</code>
          <CopyButton value={reason.action.command} label={words.why.command} />
        </span>
      ) : null}
    </p>
  );
}

/** What the API lets one do about it, where one call does it. Approvals have their own buttons. */
function Act({ reason, runId }: { reason: Reason; runId: string }) {
  const client = useQueryClient();
  const path = reason.action?.path ?? "";
  const label = words.why.action[reason.action?.label ?? ""];
  const [, step_id] = /^\/steps\/([\w-]+)\/activations$/.exec(path) ?? [];
  const act = useMutation({
    mutationFn: async (): Promise<unknown> => {
      if (step_id !== undefined) {
        return ok(
          api.POST("/api/v1/steps/{step_id}/activations", {
            params: { path: { step_id } },
            body: { reason: words.why.actReason },
          }),
        );
      }
      return ok(
        api.PATCH("/api/v1/runs/{run_id}", {
          params: { path: { run_id: runId } },
          body: { priority: "urgent", reason: words.why.actReason },
        }),
      );
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ["run", runId] }),
    onError: (error) => notifications.show({ color: "red", message: asApiError(error).what }),
  });
  const ahead = reason.action?.method === "PATCH" && path === `/runs/${runId}`;
  if (label === undefined || (step_id === undefined && !ahead)) return null;
  return (
    <RoleGate needs="operator">
      <Button variant="default" loading={act.isPending} onClick={() => act.mutate()}>
        {label}
      </Button>
    </RoleGate>
  );
}
