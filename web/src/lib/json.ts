/** JSON that somebody has typed, or sent. */

import { parseExact } from "./exact";

/** The value, in a box since it may be null; `undefined` where the text is no JSON. */
export function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: parseExact(text) };
  } catch {
    return undefined;
  }
}

/** The value where it is an object, no list; else null. */
export function parsedObject(text: string): Record<string, unknown> | null {
  const value = parsed(text)?.value;
  const fits = typeof value === "object" && value !== null && !Array.isArray(value);
  return fits ? (value as Record<string, unknown>) : null;
}
