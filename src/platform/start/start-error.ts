/** Describes a step of the start in its error. */
export interface StartStep {
  /** `postgresql`, `redis`, `listen` … */
  step: string;
  /** `host:port`, without a password; null for a step without an address. */
  where: string | null;
  /** What the operator can do when it fails. */
  hint: string;
}

/** An expected failure of the start, in words: its log line has no stack. */
export class StartError extends Error {
  constructor(
    readonly failed: StartStep,
    readonly reason: string,
    /** A system error code, a SQLSTATE, or null. */
    readonly code: string | null = null,
    options?: ErrorOptions,
  ) {
    const place = failed.where === null ? '' : ` at ${failed.where}`;
    super(`${failed.step}${place}: ${reason}. ${failed.hint}`, options);
    this.name = 'StartError';
  }

  /** The fields of its log line. */
  fields(): Record<string, unknown> {
    const { step, where, hint } = this.failed;
    return {
      event: 'start_failed',
      step,
      where: where ?? undefined,
      reason: this.reason,
      code: this.code ?? undefined,
      hint,
    };
  }
}

/** Only `host:port` of a URL. */
export function placeOf(url: string, defaultPort: number): string {
  try {
    const { hostname, port } = new URL(url);
    return `${hostname === '' ? 'localhost' : hostname}:${port === '' ? defaultPort : port}`;
  } catch {
    return 'an address that is not a URL';
  }
}
