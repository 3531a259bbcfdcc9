import { Alert, Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ok, type Schemas } from "@/api/client";
import { useMe } from "@/api/session";
import { ReasonDialog } from "@/components/ReasonDialog";
import { RoleGate } from "@/components/RoleGate";
import { review as words } from "@/strings/review";
import classes from "./Review.module.css";

/** Decisions that another reviewer must confirm. */
export function ProposalAlert({ proposal }: { proposal: Schemas["Proposal"] }) {
  const [asking, setAsking] = useState<"confirm" | "refuse" | null>(null);
  const cache = useQueryClient();
  const own = useMe().name === proposal.requested_by;
  const params = {
    params: { path: { name: proposal.group_name, proposal_id: proposal.id } } as never,
  };

  async function end(reason: string) {
    const body = { reason: reason === "" ? null : reason };
    if (asking === "confirm") {
      await ok(
        api.POST("/api/v1/groups/{name}/proposals/{proposal_id}/confirmations", {
          ...params,
          body,
        }),
      );
    } else {
      await ok(
        api.POST("/api/v1/groups/{name}/proposals/{proposal_id}/refusals", { ...params, body }),
      );
    }
    notifications.show({ message: asking === "confirm" ? words.confirmed : words.refused });
    await cache.invalidateQueries();
  }

  return (
    <Alert color="well" title={words.proposal(proposal.requested_by)}>
      <div className={classes.proposal}>
        <ul>
          {proposal.decisions.map((one) => (
            <li key={one.workflow}>
              {words.chosen[one.decision]} <strong>{one.workflow}</strong>
            </li>
          ))}
        </ul>
        {proposal.reason ? <p>{proposal.reason}</p> : null}
        <div className="sw-row">
          <RoleGate needs="reviewer" blocked={own ? words.ownProposal : null}>
            <Button onClick={() => setAsking("confirm")}>{words.confirm}</Button>
          </RoleGate>
          <RoleGate needs="reviewer">
            <Button variant="default" onClick={() => setAsking("refuse")}>
              {words.refuse}
            </Button>
          </RoleGate>
        </div>
      </div>
      <ReasonDialog
        opened={asking !== null}
        onClose={() => setAsking(null)}
        title={asking === "confirm" ? words.confirmTitle : words.refuseTitle}
        submit={asking === "confirm" ? words.confirm : words.refuse}
        danger={asking === "refuse"}
        optional={asking === "confirm"}
        cli={(reason) =>
          `stepwell groups ${asking ?? "confirm"} ${proposal.group_name}${
            reason === "" ? "" : ` --reason ${JSON.stringify(reason)}`
          }`
        }
        onSubmit={end}
      />
    </Alert>
  );
}
