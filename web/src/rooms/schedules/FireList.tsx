/** The next fires, one a line: on the schedule's clock and the reader's, and what is special. */

import type { Schemas } from "@/api/client";
import { useZone } from "@/lib/zone";
import { schedules as words } from "@/strings/schedules";
import classes from "./FireList.module.css";
import { shownZone } from "./MarkCard";
import { dayAndClock, forReader } from "./zones";

type Fire = Schemas["Fire"];

export function FireList({
  fires,
  zone,
  most = 10,
}: {
  fires: Fire[];
  zone: string;
  most?: number;
}) {
  const own = shownZone(useZone());
  if (fires.length === 0) return <p className="sw-soft">{words.nextNone}</p>;
  const shown = fires.slice(0, most);
  const seconds = shown.some((one, at) => at > 0 && gap(shown[at - 1], one) < 60_000);
  return (
    <ol className={classes.list}>
      {shown.map((one) => {
        const at = Date.parse(one.at);
        const there = forReader(at, zone, own);
        const off = one.excluded != null || one.skipped != null;
        return (
          <li key={one.at} data-off={off || undefined}>
            <time dateTime={one.at}>
              {dayAndClock(at, zone)}
              {seconds ? `:${one.at.slice(17, 19)}` : ""}
            </time>
            <span className="sw-soft">
              {[
                there === null ? null : words.forYou(there),
                one.jitter ? words.jitter(one.jitter) : null,
                one.excluded == null ? null : words.excluded(one.excluded),
                one.skipped,
                one.overlaps ? words.overlapsHere : null,
              ]
                .filter(Boolean)
                .join(" · ")}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

/** Several in a minute would all read the same without their seconds. */
function gap(one: Fire | undefined, next: Fire): number {
  return one === undefined ? Number.POSITIVE_INFINITY : Date.parse(next.at) - Date.parse(one.at);
}
