/** Why a call got no answer. Stored with the attempt. */
export const CALL_FAULTS = [
  'invalid_url',
  'forbidden_address',
  'dns',
  'unreachable',
  'tls',
  'timeout',
  'connection_lost',
  'no_http',
  'no_secret',
  'stopped',
] as const;
export type CallFault = (typeof CALL_FAULTS)[number];

/** A call without an answer. The message completes "The endpoint …", without the URL, which may hold a token. */
export class CallError extends Error {
  constructor(
    readonly fault: CallFault,
    message: string,
    /** The receiver may have got the request. */
    readonly sent: boolean,
    /** The system's name of the fault, for logs. */
    readonly code: string | null = null,
  ) {
    super(message);
    this.name = 'CallError';
  }
}

const WORDS: Partial<Record<string, readonly [CallFault, string]>> = {
  ECONNREFUSED: ['unreachable', 'refused the connection'],
  EHOSTUNREACH: ['unreachable', 'cannot be reached'],
  ENETUNREACH: ['unreachable', 'cannot be reached'],
  EADDRNOTAVAIL: ['unreachable', 'cannot be reached'],
  ETIMEDOUT: ['timeout', 'did not answer in time'],
  ECONNRESET: ['connection_lost', 'closed the connection without an answer'],
  EPIPE: ['connection_lost', 'closed the connection without an answer'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['tls', 'has a self-signed certificate'],
  SELF_SIGNED_CERT_IN_CHAIN: ['tls', 'has a certificate from an unknown authority'],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['tls', 'has a certificate from an unknown authority'],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['tls', 'has a certificate from an unknown authority'],
  CERT_HAS_EXPIRED: ['tls', 'has an expired certificate'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['tls', 'has a certificate for another name'],
};

/** A failure of Node's HTTP client. */
export function faultOf(error: Error, connected: boolean): CallError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const known = WORDS[code];
  if (known !== undefined) return new CallError(known[0], known[1], connected, code);
  if (/^(?:ERR_(?:SSL|TLS)|EPROTO)|CERT|SIGNATURE/.test(code))
    return new CallError('tls', `does not offer a usable TLS connection (${code})`, connected, code);
  if (code.startsWith('HPE_')) return new CallError('no_http', 'does not answer in HTTP', connected, code);
  return new CallError('connection_lost', 'closed the connection without an answer', connected, code || null);
}
