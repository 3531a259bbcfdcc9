/** A run's input as it is edited. Pure. */

export interface Edit {
  name: string;
  before: string;
  after: string;
}

const NONE = "–";

function shown(value: unknown): string {
  if (value === undefined) return NONE;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What is different, name by name. */
export function edits(before: Record<string, unknown>, after: Record<string, unknown>): Edit[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => ({ name, before: shown(before[name]), after: shown(after[name]) }));
}
