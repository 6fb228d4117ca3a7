import { ERRORS, type ErrorCode } from './error-table.js';

/** One fault of a request: its place (a JSON pointer such as `/settings/time_zone`) and a description. */
export interface Fault {
  pointer: string;
  detail: string;
}

/** `application/problem+json`, RFC 9457. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail?: string;
  errors?: Fault[];
  /** The same as the header `x-request-id`; not in `not_found`, whose bytes must not differ. */
  request_id?: string;
}

/** An error that is an answer: thrown anywhere during a request, it becomes the response. */
export class Problem extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly detail?: string,
    readonly options: {
      errors?: Fault[];
      headers?: Record<string, string>;
      cause?: unknown;
      /** It is the answer to a question, not a failure: it is not logged. */
      expected?: true;
    } = {},
  ) {
    super(detail ?? ERRORS[code].title, { cause: options.cause });
    this.name = 'Problem';
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  body(): ProblemBody {
    return {
      type: `urn:vigie:error:${this.code}`,
      title: ERRORS[this.code].title,
      status: this.status,
      code: this.code,
      ...(this.detail === undefined ? {} : { detail: this.detail }),
      ...(this.options.errors === undefined ? {} : { errors: this.options.errors }),
    };
  }
}

/** The same answer for a row that does not exist and for another tenant's row. */
export function notFound(): Problem {
  return new Problem('not_found');
}

/** A well-formed request with an impossible value at one place. */
export function invalid(pointer: string, detail: string): Problem {
  return new Problem('validation_failed', undefined, { errors: [{ pointer, detail }] });
}
