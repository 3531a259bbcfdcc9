/** Pause, resume, run or skip: one schedule or many, with the reason, and what could not be done. */

import { Alert, Progress, Radio, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { quoted } from "@/components/CopyAs";
import { Instant } from "@/components/Instant";
import { ReasonDialog } from "@/components/ReasonDialog";
import { announce } from "@/lib/announce";
import { useZone } from "@/lib/zone";
import { common } from "@/strings/common";
import { schedules as words } from "@/strings/schedules";
import * as acts from "./acts";
import { fromInput, toInput } from "./inputs";
import { shownZone } from "./MarkCard";
import type { Lane } from "./marks";
import { placeOf } from "./queries";
import type { Verb } from "./RowActs";
import { DAY, HOUR, instantOf, wall } from "./zones";

interface Props {
  verb: Verb | null;
  lanes: readonly Lane[];
  onClose: () => void;
}

const TITLES: Record<Verb, (count: number) => string> = {
  pause: words.pause.title,
  resume: words.resume.title,
  run: words.run.title,
  skip: words.skip.title,
  endSkips: words.endSkips.title,
};
const TEXTS: Record<Verb, string> = {
  pause: words.pause.text,
  resume: words.resume.text,
  run: words.run.text,
  skip: words.skip.text,
  endSkips: words.endSkips.text,
};
const DONE: Record<Verb, string> = {
  pause: "paused",
  resume: "resumed",
  run: "started",
  skip: "told to skip",
  endSkips: "told not to skip",
};
const CLI: Record<Verb, string> = {
  pause: "pause",
  resume: "resume",
  run: "run",
  skip: "skip",
  endSkips: "end-skips",
};

export function ActDialog({ verb, lanes, onClose }: Props) {
  if (verb === null || lanes.length === 0) return null;
  return <Ask key={verb} verb={verb} lanes={lanes} onClose={onClose} />;
}

/** A run needs no reason: it is no exception from anything. */
const OPTIONAL: readonly Verb[] = ["run", "resume", "endSkips"];

function Ask({ verb, lanes, onClose }: { verb: Verb } & Omit<Props, "verb">) {
  const client = useQueryClient();
  const zone = useZone();
  const [until, setUntil] = useState<string | null>(null);
  const [done, setDone] = useState<number | null>(null);
  const [failed, setFailed] = useState<acts.Outcome["failed"]>([]);
  const fits = lanes.filter((one) => fitting(verb, one));
  const count = fits.length;
  const first = fits[0];

  async function act(reason: string) {
    const outcome = await acts
      .each(
        fits,
        (lane) => {
          if (verb === "pause") return acts.pause(lane, reason, until);
          if (verb === "resume") return acts.resume(lane, reason);
          if (verb === "run") return acts.runNow(lane);
          if (verb === "skip") return acts.skipNext(lane, reason);
          return acts.endSkips(lane, reason);
        },
        setDone,
      )
      .finally(() => setDone(null));
    void client.invalidateQueries({ queryKey: ["schedules"] });
    void client.invalidateQueries({ queryKey: ["summary"] });
    announce(words.done(outcome.done, DONE[verb]));
    setFailed(outcome.failed);
    if (outcome.failed.length > 0) {
      throw new Error(words.someFailed(outcome.failed.length, count));
    }
  }

  return (
    <ReasonDialog
      opened
      onClose={onClose}
      title={TITLES[verb](count)}
      submit={verb === "run" ? words.run.submit(count) : TITLES[verb](count)}
      optional={OPTIONAL.includes(verb)}
      ready={count > 0}
      sample={
        count > 1
          ? {
              total: words.count(count),
              items: fits
                .slice(0, 5)
                .map((one) => ({ id: one.schedule_id, content: placeOf(one) })),
            }
          : undefined
      }
      cli={(reason) =>
        [
          `stepwell schedules ${CLI[verb]} ${first ? placeOf(first) : "…"}`,
          until === null ? "" : `--until ${until}`,
          verb === "run" ? "" : `--reason ${quoted(reason)}`,
        ]
          .filter(Boolean)
          .join(" ")
      }
      onSubmit={act}
    >
      {count === 1 && first ? <strong>{placeOf(first)}</strong> : null}
      <p>{TEXTS[verb]}</p>
      {verb === "skip" && count === 1 && first?.next_due ? (
        <p>
          {words.table.next}: <Instant at={first.next_due} as="exact" />
        </p>
      ) : null}
      {count < lanes.length ? <p className="sw-soft">{words.notEveryone}</p> : null}
      {verb === "pause" ? <Until value={until} onChange={setUntil} zone={shownZone(zone)} /> : null}
      {done === null ? null : (
        <Progress value={(100 * done) / count} aria-label={words.progress(done, count)} size="sm" />
      )}
      {failed.length > 0 ? (
        <Alert color="red" title={words.someFailed(failed.length, count)}>
          <ul>
            {failed.slice(0, 5).map((one) => (
              <li key={one.place}>
                {one.place}: {one.what}
              </li>
            ))}
          </ul>
          {failed.length > 5 ? common.sample(5, String(failed.length)) : null}
        </Alert>
      ) : null}
    </ReasonDialog>
  );
}

function fitting(verb: Verb, lane: Lane): boolean {
  if (verb === "pause") return lane.paused_at === null;
  if (verb === "resume") return lane.paused_at !== null;
  if (verb === "skip") return lane.next_due !== null;
  return true;
}

interface UntilProps {
  value: string | null;
  onChange: (until: string | null) => void;
  zone: string;
}

type Choice = "open" | "hour" | "morning" | "monday" | "other";

function Until({ value, onChange, zone }: UntilProps) {
  const [choice, setChoice] = useState<Choice>("open");
  function choose(next: Choice) {
    setChoice(next);
    onChange(untilOf(next, Date.now(), zone));
  }
  return (
    <div className="sw-stack">
      <Radio.Group
        label={words.pause.until}
        value={choice}
        onChange={(next) => choose(next as Choice)}
      >
        <div className="sw-row sw-wrap">
          {(["open", "hour", "morning", "monday", "other"] as const).map((one) => (
            <Radio key={one} size="xs" value={one} label={words.pause[one]} />
          ))}
        </div>
      </Radio.Group>
      {choice === "other" ? (
        <TextInput
          type="datetime-local"
          label={words.pause.when}
          description={words.backfill.zone(zone)}
          value={value === null ? "" : toInput(Date.parse(value), zone)}
          onChange={(event) => onChange(fromInput(event.currentTarget.value, zone))}
        />
      ) : value === null ? null : (
        <span className="sw-soft">
          {words.pause.when} <Instant at={value} as="exact" />
        </span>
      )}
    </div>
  );
}

/** An instant in ISO; null where somebody has to resume. */
export function untilOf(choice: Choice, now: number, zone: string): string | null {
  if (choice === "open") return null;
  if (choice === "hour" || choice === "other") return iso(now + HOUR);
  for (let days = 1; days <= 7; days += 1) {
    const day = wall(now + days * DAY, zone);
    const weekday = new Date(Date.UTC(day.year, day.month - 1, day.day)).getUTCDay();
    if (choice === "monday" && weekday !== 1) continue;
    const at = instantOf({ ...day, hour: 6, minute: 0 }, zone);
    return at === null ? null : iso(at);
  }
  return null;
}

function iso(at: number): string {
  return new Date(Math.floor(at / 1000) * 1000).toISOString();
}
