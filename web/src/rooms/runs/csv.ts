import { exactText } from "@/lib/exact";
import type { Run } from "./queries";

const FIELDS = [
  "id",
  "group",
  "workflow",
  "state",
  "trigger",
  "requested_by",
  "parameters",
  "labels",
  "attempt",
  "created_at",
  "started_at",
  "finished_at",
  "failed_operation",
  "reason",
  "fingerprint",
  "digest",
] as const satisfies (keyof Run)[];

/** A field of CSV (RFC 4180); what a spreadsheet would take for a formula gets an apostrophe. */
export function field(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "object" ? exactText(value) : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function toCsv(rows: readonly Run[]): string {
  const lines = rows.map((run) => FIELDS.map((name) => field(run[name])).join(","));
  return `${[FIELDS.join(","), ...lines].join("\r\n")}\r\n`;
}
