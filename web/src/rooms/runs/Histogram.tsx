/** When the runs that match were made; a drag over it sets the time of the query. */

import { SegmentedControl, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type PointerEvent, useMemo, useRef, useState } from "react";
import { ChartFrame } from "@/components/ChartFrame";
import { Instant } from "@/components/Instant";
import { cx } from "@/lib/cx";
import { useDrag } from "@/lib/drag";
import { usePhone } from "@/lib/media";
import { valuesOf } from "@/lib/query";
import { instant, number } from "@/lib/time";
import { useZone } from "@/lib/zone";
import { common } from "@/strings/common";
import { runs as words } from "@/strings/runs";
import { type Bar, barsOf, GROUPS, spanBetween } from "./bars";
import classes from "./Histogram.module.css";
import { histogramQuery } from "./queries";

interface Props {
  q: string;
  onSpan: (since: string | null, until: string | null) => void;
}

const SPANS = Object.keys(words.spans) as (keyof typeof words.spans)[];

export function Histogram({ q, onSpan }: Props) {
  const phone = usePhone();
  const { data, isError } = useQuery(histogramQuery(q, phone ? 40 : 96));
  const [hover, setHover] = useState<number | null>(null);
  const since = valuesOf(q, "since")[0];
  const span = SPANS.find((one) => one === since) ?? (since === undefined ? "all" : "");
  const whole = since === undefined && valuesOf(q, "until").length === 0;
  const bars = useMemo(() => (data === undefined ? [] : barsOf(data)), [data]);
  if (isError) return null;
  if (data === undefined) return <Skeleton height={112} radius="md" />;
  return (
    <ChartFrame
      title={words.histogram}
      window={
        // Without a time in the query the list goes back to the first run, and this does not.
        whole ? (
          words.lastDay
        ) : (
          <>
            <Instant at={data.since} /> – <Instant at={data.until} />
          </>
        )
      }
      sample={words.histogramSample(number(data.looked_at), data.more)}
      asOf={data.as_of}
      actions={
        <SegmentedControl
          aria-label={words.span}
          value={span}
          onChange={(value) => onSpan(value === "all" ? null : value, null)}
          data={SPANS.map((value) => ({ value, label: words.spans[value] }))}
        />
      }
    >
      <Plot bars={bars} hover={hover} onHover={setHover} onSpan={onSpan} />
      <Axis since={data.since} until={data.until} told={told(bars, hover)} />
    </ChartFrame>
  );
}

/** What stands at the place of the pointer, in words. */
function told(bars: Bar[], hover: number | null): Bar | null {
  return hover === null ? null : (bars[hover] ?? null);
}

export function Plot({
  bars,
  hover,
  onHover,
  onSpan,
}: {
  bars: Bar[];
  hover: number | null;
  onHover: (at: number | null) => void;
  onSpan: Props["onSpan"];
}) {
  const plot = useRef<HTMLDivElement>(null);
  const { drag, dragged, pull, letGo } = useDrag<[number, number]>();
  const most = Math.max(1, ...bars.map((one) => one.total));

  const place = (event: PointerEvent): number => {
    const box = plot.current?.getBoundingClientRect();
    if (box === undefined || box.width === 0) return 0;
    const at = Math.floor(((event.clientX - box.left) / box.width) * bars.length);
    return Math.min(bars.length - 1, Math.max(0, at));
  };

  const end = () => {
    const over = letGo();
    const span = over === null ? null : spanBetween(bars, ...over);
    if (span !== null) onSpan(span.since, span.until);
  };

  const [low, high] = drag === null ? [-1, -1] : [Math.min(...drag), Math.max(...drag)];
  const total = bars.reduce((sum, one) => sum + one.total, 0);
  return (
    <div
      ref={plot}
      className={classes.plot}
      role="img"
      aria-label={`${words.histogram}: ${number(total)}`}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        const at = place(event);
        pull([at, at]);
      }}
      onPointerMove={(event) => {
        const at = place(event);
        onHover(at);
        if (dragged.current !== null) pull([dragged.current[0], at]);
      }}
      onPointerLeave={() => onHover(null)}
      onPointerUp={end}
      onPointerCancel={() => pull(null)}
    >
      {bars.map((bar, at) => (
        <div
          key={bar.at}
          className={cx(classes.slot, at >= low && at <= high && classes.dragged)}
          data-hover={at === hover || undefined}
        >
          {GROUPS.map(({ name }) => {
            const count = bar.counts[name] ?? 0;
            if (count === 0) return null;
            return (
              <span
                key={name}
                className={cx("sw-paint", classes.bar)}
                data-group={name}
                style={{ height: `${Math.max(3, (100 * count) / most)}%` }}
              />
            );
          })}
        </div>
      ))}
      {total === 0 ? <div className={classes.none}>{words.histogramEmpty}</div> : null}
    </div>
  );
}

function Axis({ since, until, told }: { since: string; until: string; told: Bar | null }) {
  const zone = useZone();
  const now = Date.now();
  if (told === null) {
    return (
      <div className={classes.axis}>
        <span>{instant(since, zone, now)}</span>
        <span className={classes.hint}>{words.histogramHint}</span>
        <span>{instant(until, zone, now)}</span>
      </div>
    );
  }
  const counts = GROUPS.filter(({ name }) => told.counts[name]).map(
    ({ name }) => `${number(told.counts[name] ?? 0)} ${name}`,
  );
  return (
    <div className={classes.axis}>
      <span>
        <strong>
          {instant(told.at, zone, now)} – {instant(told.until, zone, now)}
        </strong>{" "}
        {counts.join(", ") || common.none}
      </span>
    </div>
  );
}
