/** Words of the screen State. */

export const state = {
  title: "State",
  lead: "What operations keep from one run to the next; every version of it, and who wrote it.",
  group: "Group",
  allGroups: "All groups",
  scope: "Scope",
  allScopes: "All scopes",
  prefix: "Key begins with",
  columns: {
    key: "Key",
    scope: "Scope",
    value: "Value",
    version: "Version",
    size: "Size",
    by: "Written by",
    at: "Written",
    expires: "Expires",
  },
  scopes: {
    group: "the whole group",
    workflow: (name: string) => `workflow ${name}`,
    operation: (name: string) => `operation ${name}`,
  },
  never: {
    title: "No operation has saved anything yet",
    text: "A line in an operation does it:",
    code: `@operation
def load_new(self, context: Context) -> int:
    since = context.state.get("since", default=0)
    rows = fetch(since)
    context.state.save("since", rows[-1].id)
    return len(rows)`,
  },
  nothing: "No key fits",
  deleted: "deleted",
  expired: "expired",
  history: "History",
  readers: "Read lately by",
  noReaders: "Nobody has read it since it was written.",
  restore: "Restore",
  edit: "Edit",
  remove: "Delete",
  value: "Value, as JSON",
  ttl: "Keep for, in seconds",
  ttlMore: "Empty: until it is deleted.",
  noJson: "This is no JSON.",
  editTitle: (key: string) => `Edit ${key}`,
  deleteTitle: (key: string) => `Delete ${key}`,
  restoreTitle: (key: string, version: number) => `Restore version ${version} of ${key}`,
  save: "Save",
  conflict: (version: number, by: string) =>
    `Somebody else was faster: version ${version} was written by ${by} since you opened it.`,
  conflictMore: (deleted: boolean) =>
    deleted
      ? "It is deleted now. Overwrite that with yours, or close this."
      : "What is there now is shown here. Take it up, or overwrite it with yours.",
  theirs: "What is there now",
  reload: "Take up what is there now",
  overwrite: "Overwrite it",
  saved: (version: number) => `Version ${version} is written.`,
  versionOf: (version: number) => `Version ${version}`,
  current: "current",
  changed: (version: number, other: number) => `Version ${version} against ${other}`,
  same: "The two are the same.",
  byRun: (id: string) => `run …${id.slice(-12)}`,
} as const;
