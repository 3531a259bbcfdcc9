/** Scopes of state in words. Pure. */

import { state as words } from "@/strings/state";

/** `group`, `workflow:load`, `operation:load/fetch` as people say it. */
export function inWords(scope: string): string {
  const [kind = "", name = ""] = split(scope);
  if (kind === "workflow") return words.scopes.workflow(name);
  if (kind === "operation") return words.scopes.operation(name);
  return kind === "group" ? words.scopes.group : scope;
}

function split(scope: string): [string, string] {
  const at = scope.search(/[:/]/);
  return at < 0 ? [scope, ""] : [scope.slice(0, at), scope.slice(at + 1)];
}
