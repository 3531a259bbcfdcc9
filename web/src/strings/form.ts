/** Words of forms that are made from a schema. */

export const form = {
  mode: "How parameters are given",
  form: "Form",
  json: "JSON",
  none: "It takes no parameters.",
  fallback: (value: string) => `${value} (default)`,
  noJson: "This is no JSON value.",
  noObject: "This is no JSON object.",
} as const;
