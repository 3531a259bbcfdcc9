/** What a rule says, in words. */

import { settings } from "@/strings/settings";
import type { Rule } from "./queries";

const words = settings.notes;

/** Of what its target is told: "failures, recoveries". */
export function kindsOf(rule: Rule): string {
  return rule.kinds.map((kind) => words.kindsOf[kind] ?? kind).join(", ");
}

/** About what: "flaky/rank-shares, team=data", or everything. */
export function placeOf(rule: Rule): string {
  const labels = Object.entries(rule.labels).map(([key, value]) => `${key}=${value}`);
  const place = [rule.group, rule.workflow].filter((part) => part !== null).join("/");
  return [place, ...labels].filter((part) => part !== "").join(", ") || words.everything;
}
