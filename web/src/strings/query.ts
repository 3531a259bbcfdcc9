export const query = {
  edit: (text: string) => `Edit ${text}`,
  remove: (text: string) => `Remove ${text}`,
  clear: "Clear the query",
  offered: "What could follow",
} as const;
