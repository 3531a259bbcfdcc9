/** One type for everything that goes wrong between a page and the server. */

export interface FieldError {
  field: string;
  message: string;
}

interface Problem {
  status: number;
  code: string;
  what: string;
  why: string;
  fix: string;
  correlationId: string;
  errors: FieldError[];
}

/** A problem document (RFC 9457) of the server's, or its absence. `status` 0: no answer. */
export class ApiError extends Error implements Problem {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
  readonly correlationId: string;
  readonly errors: FieldError[];

  constructor(problem: Partial<Problem>) {
    super(problem.what ?? "The server did not answer.");
    this.status = problem.status ?? 0;
    this.code = problem.code ?? "no-answer";
    this.what = this.message;
    this.why = problem.why ?? "";
    this.fix = problem.fix ?? "";
    this.correlationId = problem.correlationId ?? "";
    this.errors = problem.errors ?? [];
  }

  /** Whether the same request may succeed if it is sent again. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

/** What the server said, whatever it said it with. */
export function problemOf(answer: Response, body: unknown): ApiError {
  const told = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const word = (name: string) => (typeof told[name] === "string" ? (told[name] as string) : "");
  return new ApiError({
    status: answer.status,
    code: word("code") || `http-${answer.status}`,
    what: word("what") || word("title") || `The server answered ${answer.status}.`,
    why: word("why"),
    fix: word("fix"),
    correlationId: word("correlation_id") || (answer.headers.get("x-correlation-id") ?? ""),
    errors: Array.isArray(told.errors) ? (told.errors as FieldError[]) : [],
  });
}

/** Anything that was thrown, as an `ApiError`. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof TypeError) {
    return new ApiError({
      why: "The connection was refused or broke off.",
      fix: "Check that `stepwell serve` is running, then try again.",
    });
  }
  return new ApiError({ code: "page-error", what: String(error), status: 500 });
}
