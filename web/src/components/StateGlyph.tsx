/** A state as a shape: no two share an outline, so colour only repeats what the shape says. */

import type { ReactElement } from "react";

export const STATES = [
  "scheduled",
  "waiting",
  "starting",
  "running",
  "cancelling",
  "succeeded",
  "failed",
  "cancelled",
  "skipped",
  "superseded",
] as const;
export type StateWord = (typeof STATES)[number];

const stroke = {
  fill: "none",
  stroke: "currentColor",
  strokeWidth: 1.6,
  strokeLinecap: "round",
  strokeLinejoin: "round",
} as const;

const SHAPES: Record<StateWord, ReactElement> = {
  scheduled: (
    <g {...stroke}>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 4.8V8l2.2 1.6" />
    </g>
  ),
  waiting: (
    <g {...stroke}>
      <path d="M4 2.5h8M4 13.5h8M5 2.5c0 3.5 3 4 3 5.5s-3 2-3 5.5M11 2.5c0 3.5-3 4-3 5.5s3 2 3 5.5" />
    </g>
  ),
  starting: (
    <g {...stroke}>
      <path d="M8 2v2.4M12.2 3.8l-1.7 1.7M14 8h-2.4" />
      <path
        d="M12.2 12.2l-1.7-1.7M8 14v-2.4M3.8 12.2l1.7-1.7M2 8h2.4M3.8 3.8l1.7 1.7"
        opacity=".45"
      />
    </g>
  ),
  running: (
    <g>
      <circle {...stroke} cx="8" cy="8" r="6.2" />
      <path fill="currentColor" d="M6.4 5.2v5.6L11 8z" />
    </g>
  ),
  cancelling: (
    <g>
      <circle {...stroke} cx="8" cy="8" r="6.2" strokeDasharray="3 2.4" />
      <rect x="5.6" y="5.6" width="4.8" height="4.8" rx=".8" fill="currentColor" />
    </g>
  ),
  succeeded: (
    <g>
      <circle cx="8" cy="8" r="7" fill="currentColor" />
      <path {...stroke} stroke="var(--glyph-hole)" strokeWidth={1.9} d="M4.9 8.2l2.2 2.2 4-4.5" />
    </g>
  ),
  failed: (
    <g>
      <path fill="currentColor" d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z" />
      <path
        {...stroke}
        stroke="var(--glyph-hole)"
        strokeWidth={1.9}
        d="M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8"
      />
    </g>
  ),
  cancelled: (
    <g>
      <rect x="1.8" y="1.8" width="12.4" height="12.4" rx="2.4" {...stroke} />
      <rect x="5.4" y="5.4" width="5.2" height="5.2" rx=".8" fill="currentColor" />
    </g>
  ),
  skipped: (
    <g {...stroke}>
      <path d="M3 4.2L7 8l-4 3.8M8 4.2L12 8l-4 3.8" />
      <path d="M13.4 4v8" />
    </g>
  ),
  superseded: (
    <g {...stroke}>
      <path d="M13.6 8a5.6 5.6 0 1 1-1.8-4.1" />
      <path d="M13.9 1.6v2.9H11" />
      <path d="M5.6 8.2l1.7 1.7 3-3.4" />
    </g>
  ),
};

export function StateGlyph({ state, size = 14 }: { state: StateWord; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      aria-hidden="true"
      data-state={state}
      focusable="false"
    >
      {SHAPES[state]}
    </svg>
  );
}
