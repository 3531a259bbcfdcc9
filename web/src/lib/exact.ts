/**
 * JSON whose whole numbers stay what they are. JavaScript keeps 53 bits of one, Python all of
 * it: a key that is looked at here, or edited, must not come back as another.
 */

/** A whole number that JavaScript cannot keep, as it was written. */
export class Exact {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }

  toJSON(): string {
    return MARK + this.text;
  }
}

/** Nobody's text begins so: it is another one in every page. */
const MARK = `exact ${Math.random()} `;
/** JavaScript keeps every number of fewer digits, so most answers are left as they are. */
const LONG = /\d{16}/;
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MARKED = new RegExp(`"${MARK.replaceAll(".", "\\.")}(-?\\d+)"`, "g");

/** As `JSON.parse`. */
export function parseExact(text: string): unknown {
  JSON.parse(text); // what is none throws as it does everywhere
  return JSON.parse(marked(text), (_, value: unknown) => unmarked(value));
}

/** JSON that any parser takes, in which numbers that JavaScript cannot keep are marked text. */
export function marked(text: string): string {
  if (!LONG.test(text)) return text;
  return text.replaceAll(TOKEN, (token) => (isKept(token) ? token : `"${MARK}${token}"`));
}

/** A value that was parsed of marked JSON, with the numbers that they are. Changes it. */
export function revived(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return unmarked(value);
  const inner = value as Record<string, unknown>;
  for (const key of Object.keys(inner)) inner[key] = revived(inner[key]);
  return value;
}

function unmarked(value: unknown): unknown {
  return typeof value === "string" && value.startsWith(MARK)
    ? new Exact(value.slice(MARK.length))
    : value;
}

/** The value in a box, since it may be null; `undefined` where the text is no JSON. */
export function parsedExact(text: string): { value: unknown } | undefined {
  try {
    return { value: parseExact(text) };
  } catch {
    return undefined;
  }
}

/** As `JSON.stringify`. */
export function exactText(value: unknown, indent?: number): string {
  return (JSON.stringify(value, null, indent) ?? "null").replaceAll(MARKED, "$1");
}

/** Texts, fractions, and whole numbers of up to 53 bits. */
function isKept(token: string): boolean {
  return !/^-?\d+$/.test(token) || Number.isSafeInteger(Number(token));
}
