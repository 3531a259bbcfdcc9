/** Values of a manifest as text. Pure. */

import { Exact, exactText } from "@/lib/exact";

/** One line where it fits, else as a tree of lines; text without its quotes. */
export function shortValue(value: unknown): string {
  if (typeof value === "string") return value;
  const line = exactText(value);
  return line.length <= 60 ? line : exactText(value, 2);
}

/** A whole entry in a stable order, for a comparison line by line. */
export function sorted(value: unknown): string {
  return exactText(inOrder(value), 2);
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null || value instanceof Exact) return value;
  const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(pairs.map(([key, one]) => [key, inOrder(one)]));
}
