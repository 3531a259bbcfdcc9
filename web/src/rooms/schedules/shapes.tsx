/** Marks of the strips as shapes: each outcome has an outline of its own, colour repeats it. */

import type { ReactElement } from "react";
import type { Item, Outcome } from "./marks";
import classes from "./Strip.module.css";

export const HEIGHT = 30;
const MIDDLE = 14;
/** A glyph's half. */
const R = 6;

const line = {
  fill: "none",
  stroke: "currentColor",
  strokeWidth: 1.5,
  strokeLinecap: "round",
  strokeLinejoin: "round",
} as const;

type Glyph = (x: number) => ReactElement;

/** Around (x, MIDDLE), 12 pixels large. */
const GLYPHS: Partial<Record<Outcome, Glyph>> = {
  failed: (x) => (
    <>
      <path
        fill="currentColor"
        d={`M${x - 2.6} ${MIDDLE - R}h5.2l3.6 3.6v4.8l-3.6 3.6h-5.2l-3.6-3.6v-4.8z`}
      />
      <path
        className={classes.hole}
        d={`M${x - 2.2} ${MIDDLE - 2.2}l4.4 4.4M${x + 2.2} ${MIDDLE - 2.2}l-4.4 4.4`}
      />
    </>
  ),
  blocked: (x) => (
    <g {...line}>
      <circle cx={x} cy={MIDDLE} r={R - 0.6} className={classes.back} />
      <path d={`M${x - 2.8} ${MIDDLE}h5.6`} strokeWidth={2.2} />
    </g>
  ),
  missed: (x) => (
    <circle
      {...line}
      className={classes.back}
      cx={x}
      cy={MIDDLE}
      r={R - 0.6}
      strokeDasharray="2.6 2"
      strokeWidth={1.8}
    />
  ),
  cancelled: (x) => (
    <g {...line}>
      <rect x={x - 5} y={MIDDLE - 5} width={10} height={10} rx={2} className={classes.back} />
      <rect x={x - 2} y={MIDDLE - 2} width={4} height={4} fill="currentColor" stroke="none" />
    </g>
  ),
  skipped: (x) => (
    <path
      {...line}
      d={`M${x - 4} ${MIDDLE - 3.4}l3.4 3.4l-3.4 3.4M${x + 0.4} ${MIDDLE - 3.4}l3.4 3.4l-3.4 3.4`}
    />
  ),
  paused: (x) => (
    <path
      {...line}
      strokeWidth={2}
      d={`M${x - 2} ${MIDDLE - 3.6}v7.2M${x + 2} ${MIDDLE - 3.6}v7.2`}
    />
  ),
  queued: (x) => <Hourglass x={x} />,
  waiting: (x) => <Hourglass x={x} />,
  starting: (x) => <Hourglass x={x} />,
};

function Hourglass({ x }: { x: number }) {
  const [l, r, t, b] = [x - 3.6, x + 3.6, MIDDLE - 5, MIDDLE + 5];
  return <path {...line} d={`M${l} ${t}h7.2L${l} ${b}h7.2zM${r} ${t}`} />;
}

function Bar({ item, outcome }: { item: Item; outcome: Outcome }) {
  const width = Math.max(5, item.right - item.left);
  return (
    <>
      <rect
        x={item.left}
        y={MIDDLE - 7}
        width={width}
        height={14}
        rx={2}
        fill="currentColor"
        className={outcome === "running" || outcome === "cancelling" ? classes.goes : undefined}
      />
      {outcome === "running" ? (
        <path
          className={classes.holeFill}
          d={`M${item.left + 1.6} ${MIDDLE - 3}l4 3l-4 3z`}
          opacity={width < 9 ? 0 : 1}
        />
      ) : null}
    </>
  );
}

/** How late it was: from when it was due to when it began. */
function Late({ item, due }: { item: Item; due: number }) {
  return (
    <g className={classes.late}>
      {item.left - due > 1 ? (
        <path d={`M${due} ${MIDDLE}H${item.left}`} {...line} strokeWidth={2} />
      ) : null}
      <path fill="currentColor" d={`M${due - 3.5} 1h7l-3.5 5z`} />
    </g>
  );
}

export function MarkShape({ item, due }: { item: Item; due: number }) {
  const glyph = GLYPHS[item.outcome];
  const center = item.left + 2.5;
  return (
    <g className={classes.item} data-outcome={item.outcome}>
      {item.late ? <Late item={item} due={due} /> : null}
      {glyph && item.right - item.left > 14 && item.outcome === "failed" ? (
        <Bar item={item} outcome={item.outcome} />
      ) : null}
      {glyph ? glyph(center) : <Bar item={item} outcome={item.outcome} />}
    </g>
  );
}

export function BandShape({ item }: { item: Item }) {
  const width = Math.max(12, item.right - item.left);
  const paused = item.outcome === "paused";
  const glyph = GLYPHS[item.outcome];
  return (
    <g className={classes.item} data-outcome={item.outcome}>
      <rect
        x={item.left}
        y={MIDDLE - 6}
        width={width}
        height={12}
        rx={3}
        className={paused ? classes.hatched : classes.band}
      />
      {glyph && !paused ? glyph(item.left + Math.min(width / 2, 9)) : null}
      {paused && width > 26 ? (
        <g>
          <rect
            x={item.left + width / 2 - 8}
            y={MIDDLE - 7}
            width={16}
            height={14}
            rx={7}
            className={classes.chip}
          />
          {GLYPHS.paused?.(item.left + width / 2)}
        </g>
      ) : null}
    </g>
  );
}

const GOOD: Outcome[] = ["succeeded", "ran", "coming", "running", "waiting", "starting"];

export function CellShape({ item }: { item: Item }) {
  const width = Math.max(3, item.right - item.left - 1);
  const good = GOOD.reduce((sum, one) => sum + (item.outcomes[one] ?? 0), 0);
  const share = item.count === 0 ? 0 : 1 - good / item.count;
  const coming = item.outcome === "coming";
  const strong = share === 0 ? 0 : Math.max(3, share * 16);
  const worse = share > 0 && item.outcome !== "skipped" && item.outcome !== "paused";
  return (
    <g className={classes.item} data-outcome={item.outcome}>
      <rect
        x={item.left}
        y={MIDDLE - 8}
        width={width}
        height={16}
        rx={Math.min(2, width / 3)}
        className={coming ? classes.cellComing : share === 0 ? classes.cellGood : classes.cell}
      />
      {strong > 0 ? (
        <rect
          x={item.left}
          y={MIDDLE + 8 - strong}
          width={width}
          height={strong}
          rx={Math.min(2, width / 3)}
          className={classes.share}
        />
      ) : null}
      {worse ? (
        <path d={`M${item.left + width / 2 - 3.5} 0.5h7l-3.5 4.5z`} fill="currentColor" />
      ) : null}
    </g>
  );
}

export function ComingShape({ item }: { item: Item }) {
  const width = Math.max(5, item.right - item.left);
  const glyph = item.outcome === "coming" ? undefined : GLYPHS[item.outcome];
  if (glyph) {
    return (
      <g className={classes.item} data-outcome={item.outcome} data-coming>
        {glyph(item.left + 2.5)}
      </g>
    );
  }
  const end = item.left + width;
  return (
    <g className={classes.item} data-outcome="coming">
      <rect
        {...line}
        strokeWidth={1.3}
        x={item.left + 0.65}
        y={MIDDLE - 6}
        width={Math.max(3.7, width - 1.3)}
        height={12}
        rx={2}
        className={classes.back}
      />
      {item.reach - end > 2 ? (
        <path
          {...line}
          strokeWidth={1.2}
          opacity={0.75}
          d={`M${end} ${MIDDLE}H${item.reach}M${item.reach} ${MIDDLE - 3}v6`}
        />
      ) : null}
    </g>
  );
}

/** How many an item stands for, where there is room: beside it, for its name says it already. */
export function Count({ item }: { item: Item }) {
  const wide = item.right - item.left;
  const cell = item.kind === "cell" && wide - 1 >= 24;
  const band = item.kind === "band" && item.outcome !== "paused" && wide > 34;
  if (!(cell || band)) return null;
  return (
    <g className={classes.item} data-outcome={item.outcome} aria-hidden="true">
      {cell ? (
        <text x={item.left + (wide - 1) / 2} y={MIDDLE + 3.8} className={classes.count} data-middle>
          {item.count > 999 ? `${Math.round(item.count / 1000)}k` : item.count}
        </text>
      ) : (
        <text x={item.left + 19} y={MIDDLE + 3.5} className={classes.count}>
          {item.count}
        </text>
      )}
    </g>
  );
}

export function ItemShape({ item, due }: { item: Item; due: number }) {
  if (item.kind === "cell") return <CellShape item={item} />;
  if (item.kind === "band") return <BandShape item={item} />;
  if (item.kind === "coming") return <ComingShape item={item} />;
  return <MarkShape item={item} due={due} />;
}

/** What backfills do: a dot below, hollow while it is planned. */
export function MadeUpDot({ x, outcome }: { x: number; outcome: string }) {
  const planned = outcome === "planned";
  return (
    <circle
      className={classes.item}
      data-outcome={planned ? "coming" : outcome}
      cx={x}
      cy={HEIGHT - 3.5}
      r={planned ? 1.9 : 2.4}
      fill={planned ? "none" : "currentColor"}
      stroke={planned ? "currentColor" : "none"}
      strokeWidth={1.2}
    />
  );
}

/** A shape by itself, for legend and table. */
export function Sample({ item, width = 28 }: { item: Partial<Item>; width?: number }) {
  const full: Item = {
    key: "sample",
    kind: "mark",
    outcome: "succeeded",
    late: false,
    count: 1,
    outcomes: {},
    first: 0,
    last: 0,
    started: null,
    delay: null,
    duration: null,
    why: null,
    runId: null,
    madeUp: 0,
    left: 10,
    right: 15,
    reach: 15,
    ...item,
  };
  return (
    <svg width={width} height={HEIGHT} aria-hidden="true" focusable="false">
      <ItemShape item={full} due={full.late ? full.left - 7 : full.left} />
      <Count item={full} />
      {full.madeUp > 0 ? <MadeUpDot x={full.left + 2.5} outcome="succeeded" /> : null}
    </svg>
  );
}

/** What the shapes are filled with; once for the page. */
export function Patterns() {
  return (
    <svg width="0" height="0" aria-hidden="true" focusable="false" className={classes.patterns}>
      <defs>
        <pattern
          id="sw-hatch"
          width="5"
          height="5"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <line x1="0" y1="0" x2="0" y2="5" className={classes.hatch} />
        </pattern>
      </defs>
    </svg>
  );
}
