/**
 * Search params that are typed and checked: each screen says which it has, and what is not
 * valid is left out, so that no link can break a page.
 *
 *     const validate = params({ q: text(), tab: oneOf("timeline", "logs"), attempt: whole() });
 */

export type Field<T> = (given: unknown) => T | undefined;

export type Params<F extends Record<string, Field<unknown>>> = {
  [K in keyof F]?: F[K] extends Field<infer T> ? T : never;
};

/** Some text; empty is as good as none. */
export function text(longest = 2000): Field<string> {
  return (given) =>
    typeof given === "string" && given !== "" && given.length <= longest ? given : undefined;
}

/** One of these words. */
export function oneOf<const T extends string>(...words: readonly T[]): Field<T> {
  return (given) => words.find((word) => word === given);
}

/** A whole number from `least` on. */
export function whole(least = 0): Field<number> {
  return (given) => {
    const value = typeof given === "string" && given !== "" ? Number(given) : given;
    return typeof value === "number" && Number.isSafeInteger(value) && value >= least
      ? value
      : undefined;
  };
}

/** `1` or nothing. */
export function flag(): Field<true> {
  return (given) => (given === true || given === "1" || given === "true" ? true : undefined);
}

/** Words, written once each behind the other with commas. */
export function list(most = 60): Field<string[]> {
  return (given) => {
    const parts = Array.isArray(given) ? given : typeof given === "string" ? given.split(",") : [];
    const words = parts.filter((one): one is string => typeof one === "string" && one !== "");
    return words.length === 0 ? undefined : words.slice(0, most);
  };
}

/** An instant, as the API writes it. */
export function moment(): Field<string> {
  return (given) =>
    typeof given === "string" && !Number.isNaN(Date.parse(given)) ? given : undefined;
}

/** The validator of a route: only what is named, and only what is valid. */
export function params<const F extends Record<string, Field<unknown>>>(fields: F) {
  return (given: Record<string, unknown>): Params<F> => {
    const found: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(fields)) {
      const value = field(given[name]);
      if (value !== undefined) found[name] = value;
    }
    return found as Params<F>;
  };
}

/** `?q=state%3Afailed&tab=logs` -> values as text; the validators do the rest. */
export function parseSearch(search: string): Record<string, unknown> {
  return Object.fromEntries(new URLSearchParams(search));
}

/** The same back: short, readable, in a stable order. */
export function writeSearch(search: Record<string, unknown>): string {
  const pairs = Object.entries(search)
    .filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([name, value]) => `${encodeURIComponent(name)}=${readable(shown(value))}`);
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

function shown(value: unknown): string {
  if (value === true) return "1";
  return Array.isArray(value) ? value.join(",") : String(value);
}

/** Colons, commas and the like need no escape in a query, and read better without. */
function readable(value: string): string {
  return encodeURIComponent(value).replace(/%(3A|2C|2F|40|3E|3C|24)/gi, (code) =>
    /3[EC]/i.test(code) ? code : decodeURIComponent(code),
  );
}
