import type {
  SMTPConnectionCustomAuthContext,
  SMTPConnectionCustomAuthHandlers,
} from 'nodemailer/lib/smtp-connection';
import { createHmac } from 'node:crypto';

/** `code` of the error if the server offers no AUTH at all. */
export const NO_LOGIN_OFFERED = 'ENOLOGIN';

/** The reply to a login, or why there is none. */
class LoginFailure extends Error {
  constructor(
    readonly response: string | undefined,
    readonly code?: string,
  ) {
    super('Invalid login');
    const digits = /^\d{3}/.exec(response ?? '')?.[0];
    if (digits !== undefined) this.responseCode = Number(digits);
  }

  readonly responseCode?: number;
}

/** After this time without an answer, in ms, the next may log in: a broken connection never answers. */
const PATIENCE_MS = 5_000;

/**
 * Lets one connection of the pool log in at a time. If it is refused, the waiting ones are refused with it, without a
 * login of their own: a wrong password on ten connections is one failed login at the server, not ten, and does not
 * trigger its brute-force protection (fail2ban). Not p-limit, which cannot reject waiting calls with another one's
 * error.
 */
export class LoginGate {
  private busy = false;
  private waiting: { enter: () => void; refuse: (error: unknown) => void }[] = [];

  /** @param limit_ms time for the whole exchange */
  constructor(
    private readonly limit_ms: number,
    private readonly patience_ms = PATIENCE_MS,
  ) {}

  async pass(login: () => Promise<void>): Promise<void> {
    if (this.busy) {
      await new Promise<void>((enter, refuse) => {
        this.waiting.push({ enter, refuse });
      });
    }
    this.busy = true;
    const turn = { over: false };
    const impatience = setTimeout(() => {
      turn.over = true;
      this.handOver();
    }, this.patience_ms).unref();
    try {
      await this.withinLimit(login());
    } catch (error) {
      // After a handover, the login that entered next decides for the waiting ones.
      if (!turn.over) {
        this.busy = false;
        for (const { refuse } of this.waiting.splice(0)) refuse(error);
      }
      throw error;
    } finally {
      clearTimeout(impatience);
    }
    if (!turn.over) this.handOver();
  }

  private handOver(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.busy = false;
    else next.enter();
  }

  private async withinLimit(login: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new LoginFailure(undefined, 'ETIMEDOUT'));
      }, this.limit_ms).unref();
    });
    try {
      await Promise.race([login, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The login methods that nodemailer chooses from (RFC 4616, RFC 2195, and LOGIN), each through the gate. */
export function gatedLogins(gate: LoginGate): SMTPConnectionCustomAuthHandlers {
  const through =
    (login: (context: SMTPConnectionCustomAuthContext) => Promise<void>) =>
    (context: SMTPConnectionCustomAuthContext): Promise<void> =>
      gate.pass(async () => {
        if (context.authMethods.length === 0) throw new LoginFailure(undefined, NO_LOGIN_OFFERED);
        await login(context);
      });
  return { PLAIN: through(plain), LOGIN: through(asked), 'CRAM-MD5': through(challenged) };
}

async function plain(context: SMTPConnectionCustomAuthContext): Promise<void> {
  const { user, pass } = credentials(context);
  await say(context, `AUTH PLAIN ${base64(`\0${user}\0${pass}`)}`, 2);
}

async function asked(context: SMTPConnectionCustomAuthContext): Promise<void> {
  const { user, pass } = credentials(context);
  await say(context, 'AUTH LOGIN', 3);
  await say(context, base64(user), 3);
  await say(context, base64(pass), 2);
}

async function challenged(context: SMTPConnectionCustomAuthContext): Promise<void> {
  const { user, pass } = credentials(context);
  const reply = await say(context, 'AUTH CRAM-MD5', 3);
  const challenge = Buffer.from(reply.replace(/^\d{3}\s*/, ''), 'base64');
  await say(context, base64(`${user} ${createHmac('md5', pass).update(challenge).digest('hex')}`), 2);
}

function credentials({ auth }: SMTPConnectionCustomAuthContext): { user: string; pass: string } {
  return { user: auth.credentials.user, pass: auth.credentials.pass };
}

/** @throws LoginFailure if the reply is not of this class. */
async function say(
  context: SMTPConnectionCustomAuthContext,
  line: string,
  replyClass: number,
): Promise<string> {
  const { response } = await context.sendCommand(line);
  if (!response.startsWith(String(replyClass))) throw new LoginFailure(response);
  return response;
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
