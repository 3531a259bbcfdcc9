/** Links of before, which had a search param for each field, in the language of queries. */

import { quotedValue } from "@/lib/query";

const WORDS = {
  name_prefix: "name",
  queue: "queue",
  search_key_prefix: "search",
  correlation_id_prefix: "correlation",
  unique_key: "key",
  fingerprint: "cause",
  description_contains: "error",
  state_contains: "input",
  result_contains: "result",
  activation_args_contains: "args",
  executed_by: "by",
  flow_id: "flow",
  created_by_step_id: "spawned",
  copy_of: "copy",
  limit_key: "limit",
  rate_key: "rate",
  ended_as: "ended",
  created_from: "since",
  created_to: "until",
  ended_from: "ended-since",
  ended_to: "ended-until",
} as const;

export type OldField = keyof typeof WORDS;
export const OLD_FIELDS = Object.keys(WORDS) as OldField[];

/** The query that says what these fields say; empty where there are none. */
export function asQuery(given: Partial<Record<OldField, string>>): string {
  return OLD_FIELDS.filter((field) => given[field] !== undefined)
    .map((field) => {
      const value = quotedValue(given[field] ?? "");
      return `${WORDS[field]}:${value}${field.endsWith("_prefix") ? "*" : ""}`;
    })
    .join(" ");
}
