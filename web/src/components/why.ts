/** What the answer to "why does it wait?" leads to. Pure. */

import type { Schemas } from "@/api/client";

type Action = Pick<Schemas["Action"], "method" | "path">;

/** The screen of what the API has at this path; null where none shows it. */
export function screenOf(link: string): string | null {
  const [path = ""] = link.split("?");
  const [, kind = "", id = ""] = path.split("/");
  switch (kind) {
    case "runs":
      return link;
    case "steps":
      return `/steps?step=${id}`;
    case "schedules":
      return `/schedules?schedule=${id}`;
    case "groups":
      return "/settings?page=groups";
    case "run-limits":
    case "controls":
      return "/settings?page=limits";
    case "health":
      return "/settings?page=system";
    default:
      return null;
  }
}

/** Whether it ends something, or takes back what somebody has set: then one says why. */
export function asks({ method, path }: Action): boolean {
  return method === "DELETE" || /\/(cancellations|skips)$/.test(path ?? "");
}

export const isAnswer = (path: string): boolean => /\/approvals$/.test(path);
