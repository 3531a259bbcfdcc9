/**
 * The query language of lists, as the server reads it (search/language.py), but lenient: what
 * is still being typed is a clause too. The server has the last word on what is valid.
 */

export interface Clause {
  /** Empty for free text. */
  key: string;
  operator: string;
  values: string[];
  negated: boolean;
  /** As it is written. */
  text: string;
  start: number;
  end: number;
}

const KEY = /^([a-z][a-zA-Z0-9_.-]*)(:|>=|<=|>|<)/;
const BLANK = /\s/;

/** The clauses of a query, in their order. Never fails. */
export function clauses(text: string): Clause[] {
  const found: Clause[] = [];
  let at = 0;
  while (at < text.length) {
    if (BLANK.test(text.charAt(at))) {
      at += 1;
      continue;
    }
    const one = clause(text, at);
    found.push(one);
    at = one.end;
  }
  return found;
}

function clause(text: string, start: number): Clause {
  const negated = text.charAt(start) === "-";
  let at = negated ? start + 1 : start;
  const key = KEY.exec(text.slice(at));
  if (key !== null) at += key[0].length;
  const values: string[] = [];
  let value = "";
  while (at < text.length && !BLANK.test(text.charAt(at))) {
    const char = text.charAt(at);
    if (char === '"') {
      at += 1;
      while (at < text.length && text.charAt(at) !== '"') {
        if (text.charAt(at) === "\\" && at + 1 < text.length) at += 1;
        value += text.charAt(at);
        at += 1;
      }
      at += 1;
      continue;
    }
    if (char === "," && key !== null) {
      values.push(value);
      value = "";
    } else if (char === "\\" && at + 1 < text.length) {
      at += 1;
      value += text.charAt(at);
    } else {
      value += char;
    }
    at += 1;
  }
  values.push(value);
  const end = Math.min(at, text.length);
  return {
    key: key?.[1] ?? "",
    operator: key?.[2] ?? ":",
    values,
    negated,
    text: text.slice(start, end),
    start,
    end,
  };
}

export function written(parts: readonly { text: string }[]): string {
  return parts.map((one) => one.text).join(" ");
}

/** A value as it must be written to be read as it is. */
export function quotedValue(value: string): string {
  if (/^[^\s"\\,:<>-][^\s"\\,:<>]*$/.test(value)) return value;
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** The query without the clauses of these keys. */
export function without(text: string, ...keys: string[]): string {
  return written(clauses(text).filter((one) => !keys.includes(one.key)));
}

/** The query in which `key` has this value alone; null takes it out. */
export function having(text: string, key: string, value: string | null): string {
  const rest = without(text, key);
  if (value === null) return rest;
  return `${rest} ${key}:${/^[\w:.+-]+$/.test(value) ? value : quotedValue(value)}`.trim();
}

/** The values of the first clause of a key that is not negated. */
export function valuesOf(text: string, key: string): string[] {
  return clauses(text).find((one) => one.key === key && !one.negated)?.values ?? [];
}
