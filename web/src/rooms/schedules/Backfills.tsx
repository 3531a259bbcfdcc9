/** What was made up for, and how far it is. */

import { Button, Progress } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ok } from "@/api/client";
import { quoted } from "@/components/CopyAs";
import { FourFaces } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { ReasonDialog } from "@/components/ReasonDialog";
import { RoleGate } from "@/components/RoleGate";
import { announce } from "@/lib/announce";
import { useZone } from "@/lib/zone";
import { schedules as words } from "@/strings/schedules";
import classes from "./Drawer.module.css";
import { shownZone } from "./MarkCard";
import { type Backfill, backfillsQuery, type Schedule } from "./queries";
import { dayAndClock } from "./zones";

export function Backfills({ schedule }: { schedule: Schedule }) {
  const { data, error, isPending, refetch } = useQuery(backfillsQuery(schedule.id));
  const [ending, setEnding] = useState<Backfill | null>(null);
  const client = useQueryClient();
  return (
    <>
      <FourFaces
        loading={isPending}
        error={error}
        onRetry={() => void refetch()}
        empty={data?.items.length === 0}
        never={{ title: words.backfill.noneYet, text: null }}
      >
        {data?.items.map((one) => (
          <One key={one.id} backfill={one} onEnd={() => setEnding(one)} />
        ))}
      </FourFaces>
      {ending === null ? null : (
        <ReasonDialog
          opened
          onClose={() => setEnding(null)}
          title={words.backfill.cancelTitle}
          submit={words.backfill.cancelTitle}
          danger
          cli={(reason) => `stepwell backfills cancel ${ending.id} --reason ${quoted(reason)}`}
          onSubmit={async (reason) => {
            await ok(
              api.POST("/api/v1/backfills/{backfill_id}/cancellations", {
                params: { path: { backfill_id: ending.id } },
                body: { runs: false, reason },
              }),
            );
            announce(words.backfill.states.cancelled);
            void client.invalidateQueries({ queryKey: ["schedules"] });
          }}
        >
          <p>{words.backfill.cancelText}</p>
        </ReasonDialog>
      )}
    </>
  );
}

/** Instants that wait for nothing any more; those whose runs go on are not among them. */
export function doneOf(one: Backfill): number {
  const counts = one.counts;
  const begun = (counts.ran ?? 0) + (counts.skipped ?? 0) + (counts.blocked ?? 0);
  return Math.max(0, begun - one.active);
}

function One({ backfill, onEnd }: { backfill: Backfill; onEnd: () => void }) {
  const zone = shownZone(useZone());
  const done = doneOf(backfill);
  const running = backfill.state === "running";
  return (
    <div className={classes.item}>
      <div className="sw-row sw-between">
        <strong>
          {words.fromTo(
            dayAndClock(Date.parse(backfill.begin), zone),
            dayAndClock(Date.parse(backfill.end), zone),
          )}
        </strong>
        <span className="sw-nowrap">{words.backfill.states[backfill.state]}</span>
      </div>
      <Progress
        my={4}
        size="sm"
        value={backfill.instants === 0 ? 100 : (100 * done) / backfill.instants}
        aria-label={words.backfill.of(done, backfill.instants)}
        animated={running}
      />
      <p className="sw-soft">
        {words.backfill.of(done, backfill.instants)}
        {backfill.active > 0 ? `, ${words.backfill.active(backfill.active)}` : ""}
        {(backfill.counts.blocked ?? 0) > 0
          ? `, ${backfill.counts.blocked} ${words.outcomes.blocked}`
          : ""}
        {running && backfill.expected_end ? (
          <>
            {", "}
            {words.backfill.ended("")}
            <Instant at={backfill.expected_end} />
          </>
        ) : null}
      </p>
      <p>
        {backfill.reason}{" "}
        <span className="sw-soft">
          {words.by(backfill.requested_by)}, <Instant at={backfill.created_at} as="ago" />
        </span>
      </p>
      {running ? (
        <RoleGate needs="operator">
          <Button variant="default" size="compact-xs" onClick={onEnd}>
            {words.backfill.cancel}
          </Button>
        </RoleGate>
      ) : null}
    </div>
  );
}
