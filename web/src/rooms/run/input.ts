/** A run's input as it is edited. Pure. */

import { exactText } from "@/lib/exact";

export interface Edit {
  name: string;
  before: string;
  after: string;
}

const NONE = "–";

function shown(value: unknown): string {
  if (value === undefined) return NONE;
  return typeof value === "string" ? value : exactText(value);
}

/** What is different, name by name. */
export function edits(before: Record<string, unknown>, after: Record<string, unknown>): Edit[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names
    .filter(
      (name) =>
        name in before !== name in after || exactText(before[name]) !== exactText(after[name]),
    )
    .map((name) => ({ name, before: shown(before[name]), after: shown(after[name]) }));
}
