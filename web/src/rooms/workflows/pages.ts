/** The tabs of a workflow, in their order. */
export const WORKFLOW_TABS = [
  "overview",
  "runs",
  "schedules",
  "versions",
  "state",
  "reports",
] as const;
