/** What a row says beside its strip: its name and words, and when it fires next. */

import { Tooltip } from "@mantine/core";
import { IconClockExclamation, IconPencil, IconPlayerPause } from "@tabler/icons-react";
import { cloneElement, type ReactElement } from "react";
import { Instant } from "@/components/Instant";
import { useNow } from "@/lib/now";
import { duration, instant } from "@/lib/time";
import { useZone } from "@/lib/zone";
import { schedules as words } from "@/strings/schedules";
import { shownZone } from "./MarkCard";
import { type Lane, nextRun } from "./marks";
import { placeOf } from "./queries";
import classes from "./StripList.module.css";
import { forReader } from "./zones";

interface Props {
  lane: Lane;
  now: number;
  link: ReactElement<{ children?: React.ReactNode }>;
}

export function RowName({ lane, now, link }: Props) {
  const zone = shownZone(useZone());
  const due = lane.next_due === null ? null : Date.parse(lane.next_due);
  // Where its words name no time of day there is none to translate: "Every 20 seconds".
  const timed = due !== null && /\d\d:\d\d/.test(lane.description);
  const forYou = timed ? forReader(due, lane.timezone, zone) : null;
  const ownName = lane.name === "default" ? "" : ` · ${lane.name}`;
  return (
    <div className={classes.block}>
      <div className={classes.title}>
        <span className="sw-truncate" title={placeOf(lane)}>
          {cloneElement(link, {
            children: (
              <>
                {lane.workflow}
                {ownName}
              </>
            ),
          })}
          <span className={classes.group}> {lane.group}</span>
        </span>
        <Signs lane={lane} now={now} />
      </div>
      <div className={classes.words}>
        <span className="sw-truncate" title={lane.description}>
          {lane.description}
        </span>
        {forYou === null ? null : <span className="sw-nowrap">{words.forYou(forYou)}</span>}
      </div>
    </div>
  );
}

/** So long after it was due a schedule is called late. */
const LATE = 60_000;

/** By how many milliseconds nobody has acted on its next instant; 0 where all is well. */
export function lateBy(lane: Lane, now: number): number {
  if (lane.next_due === null || lane.paused_at !== null) return 0;
  const late = now - Date.parse(lane.next_due);
  return late > LATE ? late : 0;
}

function Signs({ lane, now }: { lane: Lane; now: number }) {
  const zone = useZone();
  const late = lateBy(lane, now);
  return (
    <>
      {lane.paused_at === null ? null : (
        <Tooltip label={words.pausedBecause(lane.pause_reason ?? "–")} multiline maw={280}>
          <span className={classes.sign} data-tone="paused">
            <IconPlayerPause size={13} aria-hidden="true" />
            {lane.paused_until === null
              ? words.paused
              : words.pausedUntil(instant(lane.paused_until, zone, now))}
          </span>
        </Tooltip>
      )}
      {lane.origin === "source" ? null : (
        <Tooltip label={words.origins[lane.origin]}>
          <span className={classes.sign}>
            <IconPencil size={13} role="img" aria-label={words.origins[lane.origin]} />
          </span>
        </Tooltip>
      )}
      {late === 0 ? null : (
        <span className={classes.sign} data-tone="late">
          <IconClockExclamation size={13} aria-hidden="true" />
          {words.late(duration(Math.floor(late / 1000)))}
        </span>
      )}
    </>
  );
}

export function RowNext({ lane }: { lane: Lane }) {
  const now = useNow();
  if (lane.next_due === null) return <span className="sw-soft">{words.never}</span>;
  const next = nextRun(lane);
  if (next === null) return <span className="sw-soft">–</span>;
  const left = (Date.parse(next) - now) / 1000;
  return (
    <span className={classes.when}>
      <span className={classes.count}>{left <= 0 ? words.now : countdown(left)}</span>
      <span className="sw-soft">
        <Instant at={next} />
      </span>
    </span>
  );
}

/** `12s`, `4m 05s`, `3h 10m`, `2d 04h`. */
export function countdown(seconds: number): string {
  return duration(Math.max(1, Math.floor(seconds)));
}
