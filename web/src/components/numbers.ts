/** What a field for a number says of what was typed. Pure. */

import { form as words } from "@/strings/form";

export interface Bounds {
  min?: number;
  max?: number;
  /** Parts of one are allowed: 0.5. */
  fractions?: boolean;
  /** It may be left empty. */
  optional?: boolean;
}

const NUMBER = /^-?\d+(\.\d+)?$/;
const WITH_COMMA = /^-?\d+,\d+$/;

/** Why it cannot be taken as it stands; empty if it can. */
export function wrongOf(typed: string, bounds: Bounds): string {
  const text = typed.trim();
  if (text === "") return bounds.optional ? "" : words.noNumber;
  if (bounds.fractions && WITH_COMMA.test(text)) return words.point(text.replace(",", "."));
  if (!NUMBER.test(text)) return WITH_COMMA.test(text) ? words.noWhole : words.noNumber;
  const value = Number(text);
  if (!bounds.fractions && !Number.isInteger(value)) return words.noWhole;
  if (bounds.min !== undefined && value < bounds.min) return rangeOf(bounds);
  if (bounds.max !== undefined && value > bounds.max) return rangeOf(bounds);
  return "";
}

function rangeOf({ min, max }: Bounds): string {
  if (min !== undefined && max !== undefined) return words.between(min, max);
  return min === undefined ? words.most(max ?? 0) : words.least(min);
}

/** One more or less by an arrow key; never beyond what is allowed. */
export function stepped(typed: string, by: 1 | -1, { min, max }: Bounds): string {
  const text = typed.trim();
  const from = NUMBER.test(text) ? Number(text) + by : (min ?? 0);
  return String(Math.min(Math.max(from, min ?? from), max ?? from));
}
