import type { ReactNode } from "react";
import type { Schemas } from "@/api/client";
import { duration, number, percent } from "@/lib/time";
import { metrics as words } from "@/strings/metrics";
import classes from "./Metrics.module.css";

type Measured = Schemas["Measured"];

/** The totals, each with what it was made of or how it differs from the time before. */
export function Figures({ measured: { total, change } }: { measured: Measured }) {
  const { duration: took } = total;
  return (
    <dl className={`sw-panel ${classes.figures}`}>
      <Figure
        label={words.figures.success}
        value={rate(total.success_rate)}
        more={words.of(number(total.succeeded), number(total.judged))}
        tone={points(change?.success_rate, true)}
      />
      <Figure
        label={words.figures.errors}
        value={rate(total.error_rate)}
        more={words.of(number(total.failed), number(total.judged))}
        tone={points(change?.error_rate, false)}
      />
      <Figure label={words.figures.p50} value={seconds(took.p50)} tone={share(change?.p50)} />
      <Figure label={words.figures.p95} value={seconds(took.p95)} tone={share(change?.p95)} />
      <Figure label={words.figures.p99} value={seconds(took.p99)} tone={share(change?.p99)} />
      <Figure
        label={words.figures.average}
        value={seconds(took.average)}
        tone={share(change?.average)}
      />
      <Figure label={words.figures.perHour} value={often(total.per_hour)} />
      <Figure label={words.figures.retried} value={number(total.retried)} />
    </dl>
  );
}

interface Tone {
  text: string;
  good: boolean;
}

interface Props {
  label: string;
  value: ReactNode;
  more?: string;
  tone?: Tone | null;
}

function Figure({ label, value, more, tone }: Props) {
  return (
    <div className={classes.figure}>
      <dt className="sw-label">{label}</dt>
      <dd>
        {value}
        {more === undefined ? null : <small>{more}</small>}
        {tone ? (
          <small data-good={tone.good} className={classes.tone}>
            {tone.text}
          </small>
        ) : null}
      </dd>
    </div>
  );
}

export function rate(value: number | null): string {
  return percent(value);
}

function seconds(value: number | null): string {
  return value === null ? words.none : duration(value);
}

/** A difference of rates, in points of a percent. */
function points(by: number | null | undefined, more_is_good: boolean): Tone | null {
  if (by == null || Math.abs(by) < 0.0005) return null;
  const text = `${by > 0 ? "+" : "−"}${Math.abs(by * 100).toFixed(1)} pp`;
  return { text, good: by > 0 === more_is_good };
}

/** A relative difference of durations; longer is worse. */
export function share(by: number | null | undefined): Tone | null {
  if (by == null || Math.abs(by) < 0.01) return null;
  return { text: `${by > 0 ? "+" : "−"}${Math.abs(by * 100).toFixed(0)} %`, good: by < 0 };
}

/** Few an hour are told as closely as many: never "0.0" where there are some. */
function often(perHour: number): string {
  return perHour === 0 || perHour >= 1
    ? perHour.toFixed(1)
    : String(Number(perHour.toPrecision(2)));
}
