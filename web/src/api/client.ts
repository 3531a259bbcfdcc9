/**
 * The typed client. Every change carries what the server asks of a browser: the session's
 * CSRF value and an Idempotency-Key, so that one click is one act however often it is sent.
 */

import createClient, { type Middleware } from "openapi-fetch";
import { exactText, marked, parseExact, revived } from "@/lib/exact";
import { apiAddress, BASE } from "@/lib/page";
import { ApiError, asApiError, problemOf } from "./error";
import type { components, paths } from "./types";

export type Schemas = components["schemas"];

const CSRF_COOKIE = "stepwell_csrf";
const SAFE = new Set(["GET", "HEAD"]);

/** The session's value from its cookie, which pages of ours may read. */
export function csrfToken(cookies: string = document.cookie): string {
  const found = cookies.split("; ").find((one) => one.startsWith(`${CSRF_COOKIE}=`));
  return found === undefined ? "" : decodeURIComponent(found.slice(CSRF_COOKIE.length + 1));
}

/** A fresh key; also over plain http, where `crypto.randomUUID` is not there. */
export function newKey(): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (one) => one.toString(16).padStart(2, "0")).join("");
}

/** A change as it would be sent. `path` is below /api/v1, with its query. */
export interface Change {
  method: "POST" | "PATCH" | "PUT" | "DELETE";
  path: string;
  body: unknown;
}

/** Thrown in place of sending: who does many acts, and goes on after errors, throws it again. */
export class Withheld extends ApiError {
  constructor() {
    super({ what: "It was only to be looked at." });
  }
}

let withheld: Change[] | null = null;

let looking: Promise<unknown> = Promise.resolve();

/** The change that an act makes first. Nothing is sent; the act is told that it went wrong. */
export function wouldSend(act: () => Promise<unknown>): Promise<Change | undefined> {
  // One after the other: the end of one must not let through what another has begun.
  const found = looking.then(() => lookedAt(act));
  looking = found.catch(() => undefined);
  return found;
}

async function lookedAt(act: () => Promise<unknown>): Promise<Change | undefined> {
  const noted: Change[] = [];
  withheld = noted;
  try {
    await act();
  } catch (error) {
    if (noted.length === 0) throw error;
  } finally {
    withheld = null;
  }
  return noted[0];
}

async function withhold(request: Request, to: Change[]): Promise<never> {
  const { pathname, search } = new URL(request.url);
  const body = await request.clone().text();
  to.push({
    method: request.method as Change["method"],
    path: pathname.slice(`${BASE}/api/v1`.length) + search,
    body: body === "" ? undefined : parseExact(body),
  });
  throw new Withheld();
}

export const changes: Middleware = {
  async onRequest({ request }) {
    if (SAFE.has(request.method)) return;
    if (withheld !== null) await withhold(request, withheld);
    const csrf = csrfToken();
    if (csrf !== "") request.headers.set("X-Stepwell-CSRF", csrf);
    if (!request.headers.has("Idempotency-Key")) request.headers.set("Idempotency-Key", newKey());
  },
};

/** Answers in which numbers were marked, for JavaScript would have rounded them. */
const withLong = new WeakSet<Response>();

export const numbers: Middleware = {
  async onResponse({ response }) {
    if (!response.ok || !response.headers.get("Content-Type")?.includes("json")) return;
    const text = await response.clone().text();
    const safe = marked(text);
    if (safe === text) return;
    const { status, headers } = response;
    const made = new Response(safe, { status, headers });
    withLong.add(made);
    return made;
  },
};

let onSignedOut: (asks: boolean) => Promise<boolean> = async () => false;

/**
 * What to do when the session is over; whether there is another one now. `asks`: it was only
 * asked who is signed in.
 */
export function whenSignedOut(act: typeof onSignedOut): void {
  onSignedOut = act;
}

/**
 * As `fetch`. Where the session is over it waits for another one, and asks again. The body is read
 * once and given anew: that of a copied request would be sent as a stream.
 */
export async function patient(request: Request): Promise<Response> {
  const read = SAFE.has(request.method) ? null : await request.arrayBuffer();
  const body = read?.byteLength ? read : undefined;
  const path = new URL(request.url).pathname;
  while (true) {
    const answer = await fetch(new Request(request, { body }));
    if (answer.status !== 401 || path === apiAddress("/login")) return answer;
    if (!(await onSignedOut(path === apiAddress("/me")))) return answer;
    if (!SAFE.has(request.method)) request.headers.set("X-Stepwell-CSRF", csrfToken());
  }
}

export const api = createClient<paths>({
  baseUrl: BASE,
  credentials: "same-origin",
  bodySerializer: exactText,
  fetch: patient,
});
api.use(changes, numbers);

type Answer<T> = { data?: T; error?: unknown; response: Response };

/**
 * What a call answers, or an `ApiError`:
 *
 *     const run = await ok(api.GET("/api/v1/runs/{run_id}", { params: { path: { run_id } } }));
 */
export async function ok<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw asApiError(error);
  }
  if (!answer.response.ok) throw problemOf(answer.response, answer.error);
  return (withLong.has(answer.response) ? revived(answer.data) : answer.data) as T;
}

type Action = Schemas["Action"];

/** A call whose path the server has named, so that its type is not known. */
const named = api.request as (
  method: string,
  path: string,
  init: object,
) => Promise<Answer<unknown>>;

/** Make the call that the server itself names as what can be done, and say why. */
export async function follow({ method, path, body }: Action, reason: string): Promise<void> {
  const why = reason === "" ? {} : { reason };
  const [place = "", query] = (path ?? "").split("?");
  const given = Object.fromEntries(new URLSearchParams(query));
  const more =
    method === "DELETE"
      ? { params: { query: { ...given, ...why } } }
      : { params: { query: given }, body: { ...body, ...why } };
  await ok(named(method ?? "POST", `/api/v1${place}`, more));
}

/** For routes that answer with text or bytes, outside the typed client; they change nothing. */
export async function fetchOk(path: string): Promise<Response> {
  try {
    const address = new URL(`${BASE}${path}`, window.location.origin);
    const answer = await patient(new Request(address, { credentials: "same-origin" }));
    if (answer.ok) return answer;
    const body = await answer.json().catch(() => undefined);
    throw problemOf(answer, body);
  } catch (error) {
    if (error instanceof ApiError || (error instanceof DOMException && error.name === "AbortError"))
      throw error;
    throw asApiError(error);
  }
}
