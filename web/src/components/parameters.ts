/** The fields of a JSON Schema of an object, and what is typed in them as JSON. Pure. */

import { Exact, exactText, parseExact } from "@/lib/exact";

export interface Field {
  name: string;
  kind: "text" | "number" | "integer" | "boolean" | "choice" | "date" | "json";
  required: boolean;
  description: string;
  /** The default, as it is shown; null without one. */
  fallback: string | null;
  choices: string[];
}

type Schema = Record<string, unknown>;

export function fieldsOf(schema: unknown): Field[] {
  const whole = (schema ?? {}) as Schema;
  const required = new Set((whole.required ?? []) as string[]);
  return Object.entries((whole.properties ?? {}) as Record<string, Schema>).map(([name, of]) => ({
    name,
    kind: kindOf(of),
    required: required.has(name),
    description: typeof of.description === "string" ? of.description : "",
    fallback: "default" in of ? written(of.default) : null,
    choices: Array.isArray(of.enum) ? of.enum.map((one) => written(one)) : [],
  }));
}

function kindOf(of: Schema): Field["kind"] {
  if (Array.isArray(of.enum)) return "choice";
  if (of.type === "string") return of.format === "date" ? "date" : "text";
  if (of.type === "number" || of.type === "integer" || of.type === "boolean") return of.type;
  return "json";
}

/** A value as it is typed: text without quotes, everything else as JSON. */
export function written(value: unknown): string {
  return typeof value === "string" ? value : exactText(value);
}

/** What was typed as a value; `undefined` for nothing. Throws where it is no JSON. */
export function read(field: Field, typed: string): unknown {
  if (typed === "") return undefined;
  if (field.kind === "text" || field.kind === "date") return typed;
  if (field.kind === "choice") return field.choices.includes(typed) ? parsedOr(typed) : undefined;
  return parseExact(typed);
}

function parsedOr(typed: string): unknown {
  try {
    const value: unknown = parseExact(typed);
    return typeof value === "object" && !(value instanceof Exact) ? typed : value;
  } catch {
    return typed;
  }
}
