/** Values of a manifest as text. Pure. */

/** One line where it fits, else as a tree of lines; text without its quotes. */
export function shortValue(value: unknown): string {
  if (typeof value === "string") return value;
  const line = JSON.stringify(value);
  return line.length <= 60 ? line : JSON.stringify(value, null, 2);
}

/** A whole entry in a stable order, for a comparison line by line. */
export function sorted(value: unknown): string {
  return JSON.stringify(value, inOrder, 2);
}

function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
