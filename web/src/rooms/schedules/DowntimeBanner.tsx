/** After nobody ticked for a while: what was missed, and what is to become of it. */

import { Button, Collapse } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ok } from "@/api/client";
import { quoted } from "@/components/CopyAs";
import { ReasonDialog } from "@/components/ReasonDialog";
import { RoleGate } from "@/components/RoleGate";
import { announce } from "@/lib/announce";
import { useZone } from "@/lib/zone";
import { schedules as words } from "@/strings/schedules";
import classes from "./DowntimeBanner.module.css";
import { shownZone } from "./MarkCard";
import { type Downtime, downtimesQuery, placeOf } from "./queries";
import { clock, DAY, dayAndClock, dayWords } from "./zones";

type Answer = "each" | "latest" | "leave";
/** Of what is older nobody is asked any more. */
const ASKED = 14 * DAY;

/** The downtimes about which nobody has decided yet. */
export function open(downtimes: readonly Downtime[], now: number): Downtime[] {
  return downtimes.filter(
    (one) => one.answer === null && one.missed > 0 && now - Date.parse(one.ended_at) < ASKED,
  );
}

/** `01:10` to `03:40`, with the days where they are others. */
export function spanWords(one: Downtime, now: number, zone: string): [string, string] {
  const [begin, end] = [Date.parse(one.began_at), Date.parse(one.ended_at)];
  const today = dayWords(now, zone);
  const first = dayWords(begin, zone) === today ? clock(begin, zone) : dayAndClock(begin, zone);
  const same = dayWords(begin, zone) === dayWords(end, zone);
  return [first, same ? clock(end, zone) : dayAndClock(end, zone)];
}

export function DowntimeBanner({ now }: { now: number }) {
  const { data } = useQuery(downtimesQuery);
  const [all, setAll] = useState(false);
  const found = open(data?.items ?? [], now);
  const more = found.length - 1;
  return (
    <>
      {(all ? found : found.slice(0, 1)).map((one) => (
        <Banner key={one.id} downtime={one} now={now} />
      ))}
      {more > 0 ? (
        <Button variant="subtle" mb="xs" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? words.downtime.fewer : words.downtime.more(more)}
        </Button>
      ) : null}
    </>
  );
}

function Banner({ downtime, now }: { downtime: Downtime; now: number }) {
  const zone = shownZone(useZone());
  const client = useQueryClient();
  const [shown, setShown] = useState(false);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const missed = downtime.schedules.filter((one) => one.missed > 0);
  const latest = missed.filter((one) => one.ran === 0).length;
  const [from, to] = spanWords(downtime, now, zone);
  return (
    <section className={classes.banner} aria-label={words.downtime.title(from, to)}>
      <IconPlugConnectedX size={20} aria-hidden="true" className={classes.icon} />
      <div className={classes.text}>
        <strong>{words.downtime.title(from, to)}.</strong>{" "}
        {words.downtime.missed(downtime.missed, missed.length)}{" "}
        {downtime.ran > 0 ? words.downtime.ran(downtime.ran) : null}
        <Collapse expanded={shown}>
          <ul className={classes.list}>
            {downtime.schedules.map((one) => (
              <li key={one.schedule_id}>
                <strong>{placeOf(one)}</strong>: {words.downtime.perSchedule(one.missed, one.ran)}.{" "}
                <span className="sw-soft">{one.policy}</span>
              </li>
            ))}
          </ul>
        </Collapse>
      </div>
      <div className={classes.acts}>
        <Button variant="subtle" onClick={() => setShown(!shown)} aria-expanded={shown}>
          {words.downtime.details}
        </Button>
        <RoleGate needs="operator">
          <Button variant="default" onClick={() => setAnswer("leave")}>
            {words.downtime.leave}
          </Button>
        </RoleGate>
        {latest > 0 && latest < downtime.missed ? (
          <RoleGate needs="operator">
            <Button variant="default" onClick={() => setAnswer("latest")}>
              {words.downtime.latest(latest)}
            </Button>
          </RoleGate>
        ) : null}
        <RoleGate needs="operator">
          <Button onClick={() => setAnswer("each")}>{words.downtime.each(downtime.missed)}</Button>
        </RoleGate>
      </div>
      {answer === null ? null : (
        <ReasonDialog
          opened
          onClose={() => setAnswer(null)}
          title={words.downtime.ask[answer]}
          submit={words.downtime.ask[answer]}
          sample={{
            total: words.downtime.missed(downtime.missed, missed.length),
            items: missed.slice(0, 5).map((one) => ({
              id: one.schedule_id,
              content: `${placeOf(one)}: ${words.downtime.perSchedule(one.missed, one.ran)}`,
            })),
          }}
          cli={(reason) =>
            `stepwell schedules answer ${downtime.id} ${answer} --reason ${quoted(reason)}`
          }
          onSubmit={async (reason) => {
            await ok(
              api.POST("/api/v1/schedules/downtimes/{downtime_id}/answers", {
                params: { path: { downtime_id: downtime.id } },
                body: { answer, reason },
              }),
            );
            announce(words.downtime.ask[answer]);
            void client.invalidateQueries({ queryKey: ["schedules"] });
          }}
        >
          <p>{words.downtime.askText[answer]}</p>
        </ReasonDialog>
      )}
    </section>
  );
}
