/** What one mark of a strip stands for, and what can be done about it. */

import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { RoleGate } from "@/components/RoleGate";
import { duration, type Zone, zoneName } from "@/lib/time";
import { schedules as words } from "@/strings/schedules";
import type { StripActs } from "./acts";
import type { Item, Lane, Outcome } from "./marks";
import classes from "./Strip.module.css";
import { Sample } from "./shapes";
import { dayAndClock, forReader, ownZone } from "./zones";

/** `Sun 29 Mar, 03:00`, and what the schedule's own clock shows where that is another time. */
export function whenText(at: number, zone: string, lane: Lane): string {
  const own = dayAndClock(at, zone);
  const there = forReader(at, zone, lane.timezone);
  return there === null ? own : `${own} (${there} ${lane.timezone})`;
}

export function countsText(item: Item): string {
  return Object.entries(item.outcomes)
    .map(([outcome, count]) => `${count} ${words.outcomes[outcome as Outcome]}`)
    .join(", ");
}

/** The whole of it in one line, for those who do not see it. */
export function itemText(item: Item, zone: string, lane: Lane): string {
  const parts = [when(item, zone, lane)];
  if (item.kind === "cell") parts.push(`${words.fires(item.count)}: ${countsText(item)}`);
  else if (item.count > 1) parts.push(`${item.count} ${words.outcomes[item.outcome]}`);
  else parts.push(words.outcomes[item.outcome]);
  return [...parts, ...details(item)].join(", ");
}

function when(item: Item, zone: string, lane: Lane): string {
  if (item.last === item.first) return whenText(item.first, zone, lane);
  return words.fromTo(dayAndClock(item.first, zone), dayAndClock(item.last, zone));
}

function details(item: Item): string[] {
  const found: string[] = [];
  if (item.delay !== null && (item.late || item.delay >= 60)) {
    found.push(words.startedLate(duration(item.delay)));
  }
  if (item.duration !== null) found.push(words.tookLong(duration(item.duration)));
  if (item.why !== null && item.why !== "late" && item.why !== item.outcome) {
    found.push(item.kind === "coming" ? words.notRun(item.why) : words.because(item.why));
  }
  return found;
}

interface Props {
  lane: Lane;
  item: Item;
  zone: string;
  pinned: boolean;
  acts: StripActs;
  onDone: () => void;
}

export function MarkCard({ lane, item, zone, pinned, acts, onDone }: Props) {
  const head =
    item.kind === "cell"
      ? words.fires(item.count)
      : `${item.count > 1 ? `${item.count} ` : ""}${words.outcomes[item.outcome]}${
          item.late ? `, ${words.outcomes.late}` : ""
        }`;
  const { p50, p95 } = lane.observed;
  const coming = item.outcome === "coming" && p50 !== null && p95 !== null;
  return (
    <div className={classes.card}>
      <div className={classes.cardHead}>
        <Sample item={{ kind: "mark", outcome: item.outcome, late: item.late }} width={24} />
        <span>{head}</span>
      </div>
      <div>{when(item, zone, lane)}</div>
      {item.kind === "cell" ? <div className="sw-soft">{countsText(item)}</div> : null}
      {details(item).map((text) => (
        <div key={text} className="sw-soft">
          {text}
        </div>
      ))}
      {coming ? <div className="sw-soft">{words.usually(duration(p50), duration(p95))}</div> : null}
      {item.madeUp > 0 ? <div className="sw-soft">{words.madeUpFor(item.madeUp)}</div> : null}
      {pinned ? <Actions lane={lane} item={item} acts={acts} onDone={onDone} /> : null}
    </div>
  );
}

const NOT_RUN: readonly Outcome[] = ["missed", "skipped", "blocked", "paused"];

function Actions({ lane, item, acts, onDone }: Pick<Props, "lane" | "item" | "acts" | "onDone">) {
  const past = item.kind === "mark" || item.kind === "band";
  const one = past && item.count === 1 && NOT_RUN.includes(item.outcome) && item.madeUp === 0;
  const many = past && item.count > 1 && NOT_RUN.includes(item.outcome);
  const madeUp = lane.made_up.find((made) => Date.parse(made.due_at) === item.first);
  const run = item.runId ?? madeUp?.run_id ?? null;
  const then = (act: () => void) => () => {
    onDone();
    act();
  };
  return (
    <div className={classes.cardActions}>
      {run === null ? null : (
        <Button
          variant="default"
          renderRoot={(props) => <Link to="/runs/$runId" params={{ runId: run }} {...props} />}
        >
          {words.openRun}
        </Button>
      )}
      {one ? (
        <RoleGate needs="operator">
          <Button onClick={then(() => acts.onFire(lane, item))}>{words.runFire}</Button>
        </RoleGate>
      ) : null}
      {many ? (
        <RoleGate needs="operator">
          <Button onClick={then(() => acts.onBackfill(lane, item.first, item.last + 1000))}>
            {words.runFires}
          </Button>
        </RoleGate>
      ) : null}
      {item.kind === "cell" ? (
        <Button
          variant="default"
          onClick={then(() => acts.onZoom(item.first, Math.max(item.last, item.first + 1)))}
        >
          {words.zoomIn}
        </Button>
      ) : null}
      <Button
        variant="subtle"
        renderRoot={(props) => (
          <Link
            to="/schedules"
            search={(old) => ({ ...old, schedule: lane.schedule_id })}
            onClickCapture={onDone}
            {...props}
          />
        )}
      >
        {words.openSchedule}
      </Button>
    </div>
  );
}

/** The zone in which the page tells the time. */
export function shownZone(zone: Zone): string {
  return zone === "local" ? ownZone() : zoneName(zone);
}
