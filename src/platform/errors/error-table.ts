/**
 * Every error a caller can get: HTTP status, a title that does not change, and whether it is an internal fault
 * (`report`: logged as an error). docs/errors.md lists the same codes.
 */
export const ERRORS = {
  validation_failed: { status: 400, title: 'The request is not valid', report: false },
  malformed_request: { status: 400, title: 'The request could not be read', report: false },
  file_refused: { status: 400, title: 'The file can not be imported', report: false },
  ambiguous_credentials: {
    status: 400,
    title: 'Send a bearer token, an API key or the cookie of a session, not two of them',
    report: false,
  },
  invalid_cursor: { status: 400, title: 'The cursor is not one of ours', report: false },
  unauthenticated: { status: 401, title: 'Credentials are missing or not valid', report: false },
  invalid_credentials: { status: 401, title: 'E-mail, password or tenant is wrong', report: false },
  forbidden: { status: 403, title: 'This needs another role or scope', report: false },
  cross_origin: { status: 403, title: 'This must come from a page of this server', report: false },
  tenant_suspended: { status: 403, title: 'This tenant is suspended', report: false },
  not_found: { status: 404, title: 'Not found', report: false },
  method_not_allowed: { status: 405, title: 'The method is not allowed here', report: false },
  request_timeout: { status: 408, title: 'The request took too long to arrive', report: false },
  conflict: { status: 409, title: 'It conflicts with what exists', report: false },
  count_changed: { status: 409, title: 'The number of rows is not the one that was shown', report: false },
  preview_busy: { status: 409, title: 'A preview cannot be computed at the moment', report: false },
  link_used: { status: 410, title: 'The link was used or has expired', report: false },
  payload_too_large: { status: 413, title: 'The body is too large', report: false },
  uri_too_long: { status: 414, title: 'The address is too long', report: false },
  unsupported_media_type: { status: 415, title: 'The content is not of a type taken here', report: false },
  idempotency_mismatch: {
    status: 422,
    title: 'The idempotency key was used with another request',
    report: false,
  },
  preview_too_large: { status: 422, title: 'The preview takes too long to compute', report: false },
  too_many_attempts: { status: 429, title: 'Too many attempts, try again later', report: false },
  rate_limited: { status: 429, title: 'Too many requests, slow down', report: false },
  limit_reached: { status: 429, title: 'A sending limit is reached', report: false },
  headers_too_large: { status: 431, title: 'The headers are too large', report: false },
  internal_error: { status: 500, title: 'Something went wrong on our side', report: true },
  unavailable: {
    status: 503,
    title: 'A service that this needs does not answer, or refuses the work',
    report: true,
  },
} as const;

export type ErrorCode = keyof typeof ERRORS;
