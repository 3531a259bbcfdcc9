/** One schedule's strip: past marks to the left of now, fires to come to the right. */

import { Popover } from "@mantine/core";
import {
  type KeyboardEvent,
  memo,
  type PointerEvent,
  useId,
  useMemo,
  useRef,
  useState,
} from "react";
import { useDrag } from "@/lib/drag";
import { schedules as words } from "@/strings/schedules";
import type { StripActs } from "./acts";
import { itemText, MarkCard } from "./MarkCard";
import { futureItems, type Item, type Lane, nearest, pastItems, unlisted } from "./marks";
import { placeOf } from "./queries";
import classes from "./Strip.module.css";
import { type Scale, type Tick, toTime, toX } from "./scale";
import { Count, HEIGHT, ItemShape, MadeUpDot } from "./shapes";

interface Props extends StripActs {
  lane: Lane;
  scale: Scale;
  now: number;
  zone: string;
  ticks: readonly Tick[];
}

/** A pointer that moves less than this clicks. */
const STILL = 6;

export const Strip = memo(function Strip(props: Props) {
  const { lane, scale, now, zone } = props;
  const items = useMemo(
    () =>
      scale.width === 0 ? [] : [...pastItems(lane, scale, now), ...futureItems(lane, scale, now)],
    [lane, scale, now],
  );
  const rest = unlisted(lane, items, scale);
  const [at, setAt] = useState(-1);
  const [shown, setShown] = useState<{ item: Item; pinned: boolean } | null>(null);
  const { drag, dragged, pull, letGo } = useDrag<{ from: number; to: number }>();
  const start = useRef<number | null>(null);
  const id = useId();
  const place = placeOf(lane);
  const nowX = toX(scale, now);

  const xOf = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.min(scale.width, Math.max(0, event.clientX - box.left));
  };

  function onPointerDown(event: PointerEvent<HTMLDivElement>) {
    if (event.button !== 0) return;
    start.current = xOf(event);
  }

  function onPointerMove(event: PointerEvent<HTMLDivElement>) {
    const x = xOf(event);
    const from = start.current;
    if (from !== null && Math.abs(x - from) > STILL && Math.min(x, from) < nowX) {
      if (dragged.current === null) event.currentTarget.setPointerCapture(event.pointerId);
      setShown(null);
      pull({ from: Math.min(from, nowX), to: Math.min(x, nowX) });
    } else if (from === null && shown?.pinned !== true && event.pointerType === "mouse") {
      const item = nearest(items, x);
      if (item !== shown?.item) setShown(item === null ? null : { item, pinned: false });
    }
  }

  function onPointerUp(event: PointerEvent<HTMLDivElement>) {
    const x = xOf(event);
    const from = start.current;
    start.current = null;
    const over = letGo();
    if (over !== null) {
      const [left, right] = [Math.min(over.from, over.to), Math.max(over.from, over.to)];
      props.onBackfill(lane, toTime(scale, left), toTime(scale, right));
    } else if (from !== null) {
      const item = nearest(items, x);
      setShown(item === null ? null : { item, pinned: true });
    }
  }

  function onKeyDown(event: KeyboardEvent<HTMLDivElement>) {
    const go = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (go !== undefined) {
      event.preventDefault();
      const next = Math.min(items.length - 1, Math.max(0, go));
      const item = items[next];
      setAt(next);
      if (item !== undefined) setShown({ item, pinned: false });
    } else if ((event.key === "Enter" || event.key === " ") && items[at] !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      setShown({ item: items[at], pinned: true });
    } else if (event.key === "Escape" && shown !== null) {
      event.preventDefault();
      event.stopPropagation();
      setShown(null);
    }
  }

  const active = shown?.item;
  const labels = items.length > 0;
  return (
    <div
      className={classes.strip}
      role="listbox"
      aria-label={[
        labels ? words.stripOf(place) : words.noFires(place),
        ...(rest === null ? [] : [words.unlisted]),
      ].join(" ")}
      aria-activedescendant={at >= 0 && at < items.length ? `${id}-${at}` : undefined}
      tabIndex={0}
      onFocus={() => at < 0 && setAt(items.findIndex((one) => one.kind === "coming"))}
      onBlur={() => shown !== null && !shown.pinned && setShown(null)}
      onKeyDown={onKeyDown}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerLeave={() => {
        if (dragged.current !== null) return;
        start.current = null; // who lets go elsewhere has not begun to drag here
        if (shown?.pinned === false) setShown(null);
      }}
      onPointerCancel={() => {
        start.current = null;
        pull(null);
      }}
    >
      <svg className={classes.svg} focusable="false" role="presentation">
        <Ground scale={scale} now={nowX} ticks={props.ticks} />
        {lane.notes.map((note) => (
          <line
            key={note.at}
            className={classes.clock}
            x1={toX(scale, Date.parse(note.at))}
            x2={toX(scale, Date.parse(note.at))}
            y1={0}
            y2={HEIGHT}
          />
        ))}
        {items.map((item, index) => (
          <g
            key={item.key}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at}
            aria-label={itemText(item, zone, lane)}
          >
            <ItemShape item={item} due={toX(scale, item.first)} />
          </g>
        ))}
        {items.map((item) => (
          <Count key={item.key} item={item} />
        ))}
        {lane.made_up.map((one) => (
          <MadeUpDot
            key={one.due_at}
            x={toX(scale, Date.parse(one.due_at)) + 2.5}
            outcome={one.outcome}
          />
        ))}
        {rest === null ? null : (
          <line
            className={classes.unlisted}
            x1={rest.begin + 4}
            x2={rest.end}
            y1={HEIGHT / 2}
            y2={HEIGHT / 2}
          >
            <title>{words.unlisted}</title>
          </line>
        )}
        {active ? (
          <rect
            className={classes.active}
            x={active.left - 3}
            y={1.5}
            width={Math.max(11, active.right - active.left + 6)}
            height={HEIGHT - 4}
            rx={4}
          />
        ) : null}
        {drag ? <Dragged from={drag.from} to={drag.to} /> : null}
      </svg>
      {active ? (
        <Popover
          opened
          onChange={(open) => !open && setShown(null)}
          position="top"
          withArrow
          trapFocus={shown.pinned}
          returnFocus={shown.pinned}
          withRoles={shown.pinned}
          closeOnEscape
        >
          <Popover.Target>
            <span
              className={classes.anchor}
              style={{ left: Math.min(scale.width, Math.max(0, (active.left + active.right) / 2)) }}
            />
          </Popover.Target>
          <Popover.Dropdown
            p="sm"
            style={shown.pinned ? undefined : { pointerEvents: "none" }}
            aria-label={itemText(active, zone, lane)}
            onPointerDown={stop}
            onPointerMove={stop}
            onPointerUp={stop}
            onKeyDown={(event) => {
              if (event.key !== "Escape") event.stopPropagation();
            }}
          >
            <MarkCard
              lane={lane}
              item={active}
              zone={zone}
              pinned={shown.pinned}
              acts={props}
              onDone={() => setShown(null)}
            />
          </Popover.Dropdown>
        </Popover>
      ) : null}
    </div>
  );
});

/** A portal's events come through React's tree; the strip must not take them for its own. */
function stop(event: PointerEvent): void {
  event.stopPropagation();
}

function Ground({ scale, now, ticks }: { scale: Scale; now: number; ticks: readonly Tick[] }) {
  return (
    <g aria-hidden="true">
      {now < scale.width ? (
        <rect
          className={classes.future}
          x={Math.max(0, now)}
          y={0}
          width={scale.width - Math.max(0, now)}
          height={HEIGHT}
        />
      ) : null}
      {ticks.map((tick) => (
        <line
          key={tick.at}
          className={classes.grid}
          data-strong={tick.strong || undefined}
          x1={toX(scale, tick.at)}
          x2={toX(scale, tick.at)}
          y1={0}
          y2={HEIGHT}
        />
      ))}
      {now >= 0 && now <= scale.width ? (
        <line className={classes.nowLine} x1={now} x2={now} y1={0} y2={HEIGHT} />
      ) : null}
    </g>
  );
}

function Dragged({ from, to }: { from: number; to: number }) {
  const [left, right] = [Math.min(from, to), Math.max(from, to)];
  return (
    <g aria-hidden="true">
      <rect className={classes.drag} x={left} y={0} width={right - left} height={HEIGHT} />
      <path className={classes.dragEdge} d={`M${left} 0V${HEIGHT}M${right} 0V${HEIGHT}`} />
    </g>
  );
}
