/** On top of the strips: the axis, and how many runs go on at once against a limit. */

import { Select } from "@mantine/core";
import { IconFlame, IconMoon } from "@tabler/icons-react";
import { type PointerEvent, useMemo, useState } from "react";
import { duration } from "@/lib/time";
import { schedules as words } from "@/strings/schedules";
import classes from "./LoadLane.module.css";
import { area, type Busy, loadAt } from "./load";
import type { Strip } from "./queries";
import { labels, type Scale, type Tick, toTime, toX } from "./scale";
import { clock, clockChanges, dayAndClock, dayWords, HOUR } from "./zones";

export const LOAD_HEIGHT = 36;

/** Pixels of "now", and of a change of the clock. */
const NOW = 40;
const CHANGE = 72;

interface AxisProps {
  scale: Scale;
  ticks: readonly Tick[];
  now: number;
  zone: string;
}

export function Axis({ scale, ticks, now, zone }: AxisProps) {
  const x = toX(scale, now);
  const changes = useMemo(() => clockChanges(scale.begin, scale.end, zone), [scale, zone]);
  const taken = [
    { from: x - NOW / 2, to: x + NOW / 2 },
    ...changes.map((one) => ({ from: toX(scale, one.at), to: toX(scale, one.at) + CHANGE })),
  ];
  return (
    <div className={classes.axis} aria-hidden="true">
      {labels(scale, ticks, taken).map((one) => (
        <span
          key={one.at}
          className={classes.tick}
          data-strong={one.strong || undefined}
          style={{ left: one.x }}
        >
          {one.text}
        </span>
      ))}
      {changes.map((one) => (
        <span key={one.at} className={classes.change} style={{ left: toX(scale, one.at) }}>
          {words.clockChange(`${one.by > 0 ? "+" : "−"}${Math.abs(one.by) / HOUR} h`)}
        </span>
      ))}
      {x >= 0 && x <= scale.width ? (
        <span className={classes.now} style={{ left: x }}>
          {words.now}
        </span>
      ) : null}
    </div>
  );
}

interface Props {
  strip: Strip;
  scale: Scale;
  now: number;
  zone: string;
  /** `pool/etl-db`. */
  limit: string | undefined;
}

/** The limit that the lane is about: the one asked for; all runs otherwise. */
export function chosenLimit(strip: Strip, limit: string | undefined) {
  return strip.limits.find((one) => `${one.kind}/${one.name}` === limit);
}

export function LoadLane({ strip, scale, now, zone, limit }: Props) {
  const [at, setAt] = useState<number | null>(null);
  const load = strip.load ?? [];
  const chosen = chosenLimit(strip, limit);
  const values = useMemo(
    () => chosen?.runs ?? (strip.load ?? []).map((one) => one.runs),
    [chosen, strip.load],
  );
  const drawn = useMemo(
    () =>
      area(
        strip.load ?? [],
        values,
        strip.load_seconds,
        chosen?.slots ?? null,
        scale,
        LOAD_HEIGHT - 4,
      ),
    [strip, values, chosen, scale],
  );
  const x = toX(scale, now);
  const cell = at === null ? null : loadAt(load, strip.load_seconds, toTime(scale, at));
  const shown = cell === null ? undefined : load[cell];
  const move = (event: PointerEvent<HTMLDivElement>) =>
    setAt(event.clientX - event.currentTarget.getBoundingClientRect().left);
  const busy = strip.busy.filter((one) => one.wait > 0);
  return (
    <div className={classes.lane} onPointerMove={move} onPointerLeave={() => setAt(null)}>
      <svg
        className={classes.svg}
        role="img"
        aria-label={`${words.load.label}. ${strip.busy.map((one) => busyText(one, zone)).join(". ")}`}
      >
        {busy.map((one) => (
          <rect
            key={one.begin + one.name}
            className={classes.busy}
            x={toX(scale, Date.parse(one.begin))}
            width={Math.max(3, toX(scale, Date.parse(one.end)) - toX(scale, Date.parse(one.begin)))}
            y={0}
            height={LOAD_HEIGHT}
          />
        ))}
        <g transform="translate(0 4)">
          <path className={classes.past} d={drawn.past} />
          <path className={classes.future} d={drawn.future} />
          {drawn.limit === null ? null : (
            <line
              className={classes.limit}
              x1={0}
              x2={scale.width}
              y1={drawn.limit}
              y2={drawn.limit}
            />
          )}
        </g>
        {x >= 0 && x <= scale.width ? (
          <line className={classes.nowLine} x1={x} x2={x} y1={0} y2={LOAD_HEIGHT} />
        ) : null}
        {at === null ? null : (
          <line className={classes.cursor} x1={at} x2={at} y1={0} y2={LOAD_HEIGHT} />
        )}
      </svg>
      {at !== null && shown !== undefined && cell !== null ? (
        <span
          className={classes.tip}
          style={at > scale.width / 2 ? { right: scale.width - at + 6 } : { left: at + 6 }}
        >
          <strong>{words.load.runs(rounded(values[cell] ?? 0))}</strong>
          {" · "}
          {dayAndClock(Date.parse(shown.begin), zone)}
          {" · "}
          {words.load.begins(shown.begins)}
          {shown.expected ? `, ${words.load.expected}` : ""}
        </span>
      ) : null}
      <span className={classes.top}>{rounded(drawn.top)}</span>
    </div>
  );
}

function rounded(value: number): string {
  return value >= 10 ? String(Math.round(value)) : String(Math.round(value * 10) / 10);
}

export function LimitSelect(props: {
  strip: Strip;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}) {
  if (props.strip.limits.length === 0) return <span className="sw-label">{words.load.title}</span>;
  return (
    <Select
      size="xs"
      variant="unstyled"
      className={classes.select}
      aria-label={words.load.title}
      allowDeselect={false}
      comboboxProps={{ width: 220, position: "bottom-start" }}
      data={[
        { value: "", label: `${words.load.title}: ${words.load.all.toLowerCase()}` },
        ...props.strip.limits.map((one) => ({
          value: `${one.kind}/${one.name}`,
          label: `${one.kind} ${one.name}, ${words.load.limit(one.slots)}`,
        })),
      ]}
      value={chosenLimit(props.strip, props.value) ? (props.value ?? "") : ""}
      onChange={(value) => props.onChange(value === "" || value === null ? undefined : value)}
    />
  );
}

/** `Thu 27 Nov, 02:00–02:30: 14 runs for 6 slots of pool etl-db, up to 25 m of waiting`. */
export function busyText(one: Busy, zone: string): string {
  const [begin, end] = [Date.parse(one.begin), Date.parse(one.end)];
  const sameDay = dayWords(begin, zone) === dayWords(end, zone);
  const span = `${dayAndClock(begin, zone)}–${sameDay ? clock(end, zone) : dayAndClock(end, zone)}`;
  if (one.slots === null || one.wait === 0) return words.load.most(span, Math.round(one.runs));
  return words.load.full(span, one.due, one.slots, `${one.kind} ${one.name}`, duration(one.wait));
}

/** What is too much, in words; nothing where nobody would wait. */
export function HotWindows({ strip, zone }: { strip: Strip; zone: string }) {
  const waits = strip.busy.some((one) => one.wait > 0);
  if (strip.busy.length === 0) return null;
  return (
    <p className={classes.hot} data-waits={waits || undefined}>
      {waits ? (
        <IconFlame size={15} aria-hidden="true" />
      ) : (
        <IconMoon size={15} aria-hidden="true" />
      )}
      <span>
        <strong>{waits ? words.load.hot : words.load.busiest}</strong>{" "}
        {strip.busy
          .slice(0, waits ? 2 : 1)
          .map((one) => busyText(one, zone))
          .join("; ")}
        {"."}
      </span>
    </p>
  );
}
