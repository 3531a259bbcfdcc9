import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ok, type Schemas } from "@/api/client";
import { useMay } from "@/api/session";
import { ReasonDialog } from "@/components/ReasonDialog";
import { RoleGate } from "@/components/RoleGate";
import { review as words } from "@/strings/review";
import { bodyOf, type Choices, chooseRest, commands, decidable, inWords } from "./decisions";
import type { Offer, Review } from "./queries";
import classes from "./Review.module.css";

interface Props {
  offer: Offer;
  review: Review;
  choices: Choices;
  /** Why nothing can be decided now, whoever asks. */
  waits: string | null;
  onChange: (choices: Choices) => void;
}

/** What was chosen, and the one act that puts it in force. */
export function ApplyBar({ offer, review, choices, waits, onChange }: Props) {
  const may = useMay("reviewer");
  const [asking, setAsking] = useState(false);
  const cache = useQueryClient();
  const chosen = Object.keys(choices);
  const open = decidable(review.workflows).filter((one) => choices[one.workflow] === undefined);

  async function apply(reason: string) {
    const body = bodyOf(choices, review.release, reason);
    const done = await send(offer, body);
    onChange({});
    notifications.show({ message: outcome(done) });
    await Promise.all(
      ["reviews", "discoveries", "workflows", "schedules", "summary", "groups"].map((key) =>
        cache.invalidateQueries({ queryKey: [key] }),
      ),
    );
  }

  return (
    <div className={classes.bar} data-tour="apply" data-active={chosen.length > 0 || undefined}>
      <span className={chosen.length > 0 ? undefined : "sw-soft"} aria-live="polite">
        {chosen.length > 0
          ? inWords(choices)
          : (waits ?? (may ? words.nothingChosen : words.onlyReviewers))}
      </span>
      <span className="sw-grow" />
      {open.length > 0 ? (
        <RoleGate needs="reviewer" blocked={waits}>
          <Button
            variant="subtle"
            onClick={() => onChange(chooseRest(choices, review.workflows, "accept"))}
          >
            {words.decide.acceptAll}
          </Button>
        </RoleGate>
      ) : null}
      {chosen.length > 0 ? (
        <>
          <Button variant="subtle" color="gray" onClick={() => onChange({})}>
            {words.decide.clear}
          </Button>
          <RoleGate needs="reviewer" blocked={waits}>
            <Button onClick={() => setAsking(true)}>{words.apply(inWords(choices))}</Button>
          </RoleGate>
        </>
      ) : null}
      <ReasonDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={words.applyTitle}
        submit={words.apply(inWords(choices))}
        cli={(reason) => commands(offer.group, choices, reason)}
        sample={{
          total: words.applyLead(offer.group),
          items: chosen.map((name) => ({
            id: name,
            content: (
              <span className="sw-row">
                <span className="sw-grow">{name}</span>
                <strong>{words.chosen[choices[name]?.choice ?? ""]}</strong>
              </span>
            ),
          })),
        }}
        onSubmit={apply}
      >
        {open.length > 0 ? <p className="sw-soft">{words.rest(open.length)}</p> : null}
        {review.two_person ? <p>{words.twoPerson}</p> : null}
      </ReasonDialog>
    </div>
  );
}

function send(offer: Offer, body: Schemas["Decisions"]): Promise<Schemas["Applied"]> {
  return "discovery" in offer
    ? ok(
        api.POST("/api/v1/groups/{name}/discoveries/{discovery_id}/decisions", {
          params: { path: { name: offer.group, discovery_id: offer.discovery } } as never,
          body,
        }),
      )
    : ok(
        api.POST("/api/v1/groups/{name}/releases/{number}/decisions", {
          params: { path: { name: offer.group, number: offer.release } } as never,
          body,
        }),
      );
}

function outcome(done: Schemas["Applied"]): string {
  if (done.proposal) return words.proposed;
  return done.changed && done.release ? words.applied(done.release.number) : words.nothingNew;
}
