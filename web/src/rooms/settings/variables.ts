/** `NAME=value` lines, as people write variables; pure. */

import { linesOf } from "./lines";

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface Pairs {
  values: Record<string, string>;
  /** The first line that is none. */
  bad: string | null;
}

/** The pairs of a text; with `reference` each value must be `env:NAME`. */
export function pairsOf(text: string, reference = false): Pairs {
  const values: Record<string, string> = {};
  for (const line of linesOf(text)) {
    const [name = "", ...rest] = line.split("=");
    const value = rest.join("=");
    const fits = !reference || (value.startsWith("env:") && NAME.test(value.slice(4)));
    if (rest.length === 0 || !NAME.test(name.trim()) || !fits) return { values, bad: line };
    values[name.trim()] = value;
  }
  return { values, bad: null };
}

export function textOf(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");
}
