/** The operations of two versions of a workflow side by side, aligned. Pure. */

export interface Operation {
  name: string;
  description?: string;
  retries?: number;
  timeout?: number | null;
  halt_on_error?: boolean;
  tags?: string[];
  inputs?: Record<string, { from?: string }>;
  approval?: unknown;
  [more: string]: unknown;
}

export type Fate = "same" | "changed" | "added" | "removed" | "renamed" | "moved";

export interface Pair {
  before: Operation | null;
  after: Operation | null;
  fate: Fate;
}

/**
 * The pairs in the order of the newer version; what is gone stands where it was.
 *
 * `renames` are new name -> old name, as the server found them.
 */
export function align(
  before: readonly Operation[],
  after: readonly Operation[],
  renames: ReadonlyMap<string, string>,
): Pair[] {
  const old = new Map(before.map((one, at) => [one.name, { one, at }]));
  const pairs: Pair[] = [];
  const used = new Set<string>();
  let reached = -1;
  for (const one of after) {
    const was = renames.get(one.name) ?? one.name;
    const found = old.get(was);
    if (found === undefined) {
      pairs.push({ before: null, after: one, fate: "added" });
      continue;
    }
    used.add(was);
    const fate = fateOf(found.one, one, found.at < reached);
    reached = Math.max(reached, found.at);
    pairs.push({ before: found.one, after: one, fate });
  }
  for (const [at, one] of before.entries()) {
    if (used.has(one.name)) continue;
    const behind = before[at - 1]?.name;
    const place = pairs.findIndex((pair) => pair.before?.name === behind);
    pairs.splice(place + 1, 0, { before: one, after: null, fate: "removed" });
  }
  return pairs;
}

function fateOf(before: Operation, after: Operation, moved: boolean): Fate {
  if (before.name !== after.name) return "renamed";
  if (moved) return "moved";
  const { order: _a, ...one } = before;
  const { order: _b, ...other } = after;
  return JSON.stringify(one) === JSON.stringify(other) ? "same" : "changed";
}

/** `/workflows/w/operations/new/name` changes of kind renamed: new name -> old name. */
export function renamesOf(
  changes: readonly { kind: string; path: string; before?: unknown; after?: unknown }[],
): Map<string, string> {
  const found = new Map<string, string>();
  for (const one of changes) {
    if (one.kind !== "renamed" || !one.path.includes("/operations/")) continue;
    if (typeof one.before === "string" && typeof one.after === "string")
      found.set(one.after, one.before);
  }
  return found;
}
