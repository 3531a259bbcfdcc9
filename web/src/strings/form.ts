/** Words of forms that are made from a schema, and of fields for numbers. */

export const form = {
  mode: "How parameters are given",
  form: "Form",
  json: "JSON",
  none: "It takes no parameters.",
  fallback: (value: string) => `${value} (default)`,
  noJson: "This is no JSON value.",
  noObject: "This is no JSON object.",
  noNumber: "A number is needed.",
  noWhole: "A whole number is needed.",
  point: (value: string) => `Write it with a point: ${value}`,
  least: (min: number) => `At least ${min}.`,
  most: (max: number) => `At most ${max}.`,
  between: (min: number, max: number) => `From ${min} to ${max}.`,
} as const;
