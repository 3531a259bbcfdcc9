/** What the server put into index.html for this answer. */

/** What stands there where no server has put anything in. A nonce may begin with "__" too. */
const PLACEHOLDER = /^__[A-Z]+(_[A-Z]+)*__$/;

/** The content of a `<meta>` of index.html; empty if there is none. */
export function meta(name: string): string {
  const found = document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? "";
  return PLACEHOLDER.test(found) ? "" : found;
}

/** The path below which the server is reached, without a slash at the end: "" or "/stepwell". */
export const BASE = meta("base-path").replace(/\/+$/, "");

/** What a style that a library writes into the page must carry (CSP). */
export const NONCE = meta("csp-nonce");

/** An address of the API below the base path. */
export function apiAddress(path: string): string {
  return `${BASE}/api/v1${path}`;
}

/** What this server is called, "production"; empty where nobody said. */
export const ENVIRONMENT = meta("environment");
