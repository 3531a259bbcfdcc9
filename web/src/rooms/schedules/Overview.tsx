/** A schedule in words: when it fires, what the clock does to it, and by which rules. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { CodeBlock } from "@/components/CodeBlock";
import { Instant } from "@/components/Instant";
import { JsonView } from "@/components/JsonView";
import { Why } from "@/components/Why";
import { exactText } from "@/lib/exact";
import { duration } from "@/lib/time";
import { schedules as words } from "@/strings/schedules";
import classes from "./Drawer.module.css";
import { FireList } from "./FireList";
import type { Lane } from "./marks";
import { type Schedule, whyQuery } from "./queries";

export function Overview({ schedule, lane }: { schedule: Schedule; lane: Lane | undefined }) {
  const zone = lane?.timezone ?? String(schedule.spec.timezone ?? "UTC");
  return (
    <div className={classes.sections}>
      <section className={classes.section}>
        <p className={classes.words}>{schedule.description}</p>
        <Waits id={schedule.id} />
      </section>
      <section className={classes.section}>
        <h3>{words.next}</h3>
        {schedule.paused_at === null ? null : <p className="sw-soft">{paused(schedule)}</p>}
        <FireList fires={schedule.fires} zone={zone} most={5} />
      </section>
      <section className={classes.section}>
        <h3>{words.clockNotes}</h3>
        {schedule.notes.length === 0 ? <p className="sw-soft">{words.noNotes}</p> : null}
        {schedule.notes.map((one) => (
          <p key={one.at}>{one.text}</p>
        ))}
      </section>
      <section className={classes.section}>
        <h3>{words.policies}</h3>
        <dl className={classes.facts}>
          <Policy
            term={words.overlap}
            option={String(schedule.spec.overlap ?? "skip")}
            sentences={words.overlapOf}
          />
          <Policy
            term={words.misfire}
            option={String(schedule.spec.misfire ?? "latest")}
            sentences={words.misfireOf}
          />
          <dt>{words.observed}</dt>
          <dd>
            {lane?.observed.p50 == null || lane.observed.p95 == null ? (
              "–"
            ) : (
              <>
                {duration(lane.observed.p50)}, {words.table.upTo(duration(lane.observed.p95))}{" "}
                <span className="sw-soft">{words.observedOf(lane.observed.runs)}</span>
              </>
            )}
          </dd>
          <dt>{words.lateAfter}</dt>
          <dd>
            {schedule.late_after === null ? words.serverDefault : duration(schedule.late_after)}
          </dd>
          <dt>{words.tooLong}</dt>
          <dd>
            {schedule.too_long_after === null
              ? words.serverDefault
              : duration(schedule.too_long_after)}
          </dd>
          <dt>{words.origin}</dt>
          <dd>
            {words.origins[schedule.origin]}
            {schedule.override_reason
              ? `, ${words.overriddenBy(schedule.changed_by, schedule.override_reason)}`
              : ""}
          </dd>
        </dl>
        {schedule.source_differs ? (
          <div className={classes.notice}>
            {schedule.source === null ? words.sourceNothing : words.sourceSays}
            {schedule.source === null ? null : (
              <CodeBlock label={words.sourceSays} wrap>
                {exactText(schedule.source)}
              </CodeBlock>
            )}
          </div>
        ) : null}
      </section>
      {schedule.skips.length > 0 ? (
        <section className={classes.section}>
          <h3>{words.skips}</h3>
          {schedule.skips.map((one) => (
            <p key={one.due}>
              <Instant at={one.due} as="exact" />{" "}
              <span className="sw-soft">{words.skipBy(one.why, one.by)}</span>
            </p>
          ))}
        </section>
      ) : null}
      <section className={classes.section}>
        <h3>{words.parameters}</h3>
        {Object.keys(schedule.parameters).length === 0 ? (
          <p className="sw-soft">{words.noParameters}</p>
        ) : (
          <JsonView value={schedule.parameters} label={words.parameters} />
        )}
      </section>
    </div>
  );
}

/** That what follows does not run, or only from some instant on. */
function paused({ paused_until: until, fires }: Schedule) {
  if (until === null || fires.length === 0) return words.nextPaused;
  const [before = "", after = ""] = words.nextPausedUntil.split("{when}");
  return (
    <>
      {before}
      <Instant at={until} />
      {after}
    </>
  );
}

/** Why it starts no run now; that it is not due yet is no reason to stop at. */
function Waits({ id }: { id: string }) {
  const client = useQueryClient();
  const { data } = useQuery(whyQuery(id));
  if (!data?.waiting || data.reason?.code === "NOT_DUE") return null;
  const refresh = () => client.invalidateQueries({ queryKey: ["schedules"] });
  return <Why found={data} onActed={refresh} />;
}

function Policy(props: { term: string; option: string; sentences: Record<string, string> }) {
  const names: Record<string, string> = words.optionNames;
  return (
    <>
      <dt>{props.term}</dt>
      <dd>
        <strong>{names[props.option] ?? props.option}.</strong>{" "}
        {props.sentences[props.option] ?? ""}
      </dd>
    </>
  );
}
