const A_SECOND = 20;
/** A client that is refused this often in a second is abusive, not mistaken. */
const ABUSE = 200;

/**
 * How many messages a socket may still send this second. Not rate-limiter-flexible: it returns a promise, so messages
 * could overtake each other, and keeps a timer per socket.
 */
export class MessageAllowance {
  private second = 0;
  private sent = 0;

  /** Counts one message. @returns whether it is allowed. */
  take(): boolean {
    // Real time, not the business clock, which a test may stop.
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.second) {
      this.second = second;
      this.sent = 0;
    }
    this.sent += 1;
    return this.sent <= A_SECOND;
  }

  get abused(): boolean {
    return this.sent > ABUSE;
  }
}
