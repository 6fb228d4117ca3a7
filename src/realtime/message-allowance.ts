const A_SECOND = 20;
/** Refused this often in a second, a client is not mistaken but abusive. */
const ABUSE = 200;

/**
 * How many messages a socket may still send this second. Not rate-limiter-flexible: it answers with a promise, and
 * messages would overtake each other; and it keeps a timer for each socket.
 */
export class MessageAllowance {
  private second = 0;
  private sent = 0;

  /** Counts one message. @returns whether it is allowed. */
  take(): boolean {
    // Not a business time: how fast messages come, whatever the clock of a test says.
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
