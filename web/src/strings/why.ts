/** Words of what is said about things that wait. */

export const why = {
  title: "Why does it wait?",
  since: "since",
  changes: "Changes",
  blockedBy: "Held by",
  also: "Then also",
  diagnostics: "What the server saw",
  acts: "What can be done",
  command: (label: string) => `command: ${label}`,
} as const;
