/** What one sends when one asks for help: facts of this server, and nothing of what it works on. */

import type { Schemas } from "@/api/client";

export type Health = Schemas["Health"];
type Counts = Schemas["Counts"];

const SECRETS = [
  /\b(sw|swl|sws|swp)_[\w-]{8,}/g,
  /\/\/[^/\s:@]+:[^/\s@]+@/g,
  /((?:password|passwd|secret|token|key)["']?\s*[=:]\s*)\S+/gi,
] as const;

/** A sentence of the server's, without what looks like a secret in it. */
export function withoutSecrets(text: string): string {
  const [tokens, logins, named] = SECRETS;
  return text.replace(tokens, "…").replace(logins, "//…@").replace(named, "$1…");
}

export function bundleOf(
  health: Health,
  counts: Counts | undefined,
  environment: string,
  mode: string,
) {
  return {
    version: health.version,
    mode,
    environment,
    status: health.status,
    parts: (health.parts ?? []).map((one) => ({
      name: one.name,
      state: one.state,
      sentence: withoutSecrets(one.sentence),
    })),
    counts: counts ?? null,
    browser: navigator.userAgent,
  };
}
