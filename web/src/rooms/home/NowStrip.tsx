/** What goes on, what waits and why, and what comes next. */

import { Progress } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Instant } from "@/components/Instant";
import { StateGlyph, type StateWord } from "@/components/StateGlyph";
import { useNow } from "@/lib/now";
import { number } from "@/lib/time";
import { home as words } from "@/strings/home";
import { countdown, progressOf } from "./figures";
import classes from "./NowStrip.module.css";
import type { Summary } from "./queries";

export function NowStrip({ summary }: { summary: Summary }) {
  const { counts } = summary;
  return (
    <section className={classes.strip} aria-label={words.now.title}>
      <Part
        state="running"
        title={words.now.running}
        count={counts.running}
        href={{ q: "state:running" }}
        empty={summary.running.length === 0 ? words.now.none.running : null}
      >
        {summary.running.map((one) => (
          <Running key={one.id} run={one} />
        ))}
        {counts.running > summary.running.length ? (
          <li className="sw-soft">{words.now.more(counts.running - summary.running.length)}</li>
        ) : null}
      </Part>
      <Part
        state="waiting"
        title={words.now.waiting}
        count={counts.waiting}
        href={{ q: "state:waiting,starting" }}
        empty={summary.waiting.length === 0 ? words.now.none.waiting : null}
      >
        {summary.waiting.map((one) => (
          <li key={one.code} className={classes.waiting}>
            <strong className={classes.number}>{number(one.count)}</strong>
            <span>
              {one.sentence}{" "}
              <Link to="/runs/$runId" params={{ runId: one.run_id }}>
                {words.now.seeWhy}
              </Link>
            </span>
          </li>
        ))}
      </Part>
      <Part
        state="scheduled"
        title={words.now.next}
        count={null}
        empty={summary.next_fires.length === 0 ? words.now.none.next : null}
      >
        {summary.next_fires.map((one) => (
          <NextFire key={one.schedule_id} fire={one} />
        ))}
      </Part>
    </section>
  );
}

interface PartProps {
  state: StateWord;
  title: string;
  count: number | null;
  href?: { q: string };
  empty: string | null;
  children: ReactNode;
}

function Part({ state, title, count, href, empty, children }: PartProps) {
  return (
    <div className={classes.part}>
      <h2 className={classes.title} data-state={state}>
        <StateGlyph state={state} size={15} />
        {href ? (
          <Link to="/runs" search={href} className={classes.link}>
            {title}
          </Link>
        ) : (
          <Link to="/schedules" className={classes.link}>
            {title}
          </Link>
        )}
        {count === null ? null : <span className={classes.count}>{number(count)}</span>}
      </h2>
      {empty === null ? (
        <ul className={classes.list}>{children}</ul>
      ) : (
        <p className="sw-soft">{empty}</p>
      )}
    </div>
  );
}

function Running({ run }: { run: Summary["running"][number] }) {
  const { fraction, left } = progressOf(run, useNow());
  const said =
    left === null
      ? words.now.unknown
      : left >= 0
        ? words.now.left(countdown(left))
        : words.now.over(countdown(-left));
  return (
    <li className={classes.running}>
      <Link to="/runs/$runId" params={{ runId: run.id }} className={classes.name}>
        {run.workflow} <span className="sw-soft">{run.group}</span>
      </Link>
      <span className={classes.said} data-over={left !== null && left < 0 ? true : undefined}>
        {said}
      </span>
      <Progress
        className={classes.bar}
        size={4}
        value={fraction === null ? 100 : fraction * 100}
        animated={fraction === null}
        color={left !== null && left < 0 ? "sand" : "well"}
        aria-label={`${run.workflow}: ${said}`}
      />
      {run.progress?.note ? <span className={classes.note}>{run.progress.note}</span> : null}
    </li>
  );
}

function NextFire({ fire }: { fire: Summary["next_fires"][number] }) {
  const left = (Date.parse(fire.due_at) - useNow()) / 1000;
  return (
    <li className={classes.next}>
      <Link to="/schedules" search={{ schedule: fire.schedule_id }} className={classes.name}>
        {fire.workflow}
        {fire.name === "default" ? "" : ` · ${fire.name}`}{" "}
        <span className="sw-soft">{fire.group}</span>
      </Link>
      <span className={classes.when}>
        <strong>{left <= 0 ? words.now.due : countdown(left)}</strong>{" "}
        <span className="sw-soft">
          <Instant at={fire.due_at} />
        </span>
      </span>
    </li>
  );
}
