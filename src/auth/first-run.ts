import { Injectable, Logger } from '@nestjs/common';
import { Problem } from '../platform/errors/problem.js';
import { unauthenticated } from './authenticator.js';
import type { FirstOperator } from './auth.dto.js';
import { Operators } from './operators.js';
import { Passwords } from './password/passwords.js';
import { LoginThrottle } from './sessions/login-throttle.js';
import { Signing } from './sessions/signing.js';
import { SignIns, type SignInTrace } from './sessions/sign-ins.js';

/** What the token signs. */
const MESSAGE = 'operator';
/**
 * Attempts are counted like those of an account. This is not an e-mail address, so no account can have it.
 */
const ACCOUNT = { tenant: undefined, email: 'first-run' };

/**
 * Creates the first operator of a new installation with the token that its processes print when they start.
 * The token is a signature with a key from JWT_SECRET: all processes print the same one, so it does not
 * matter which of them a proxy calls, and no process stores it. It stops working once there is an operator.
 */
@Injectable()
export class FirstRun {
  private readonly logger = new Logger('Operators');

  constructor(
    private readonly operators: Operators,
    private readonly passwords: Passwords,
    private readonly signing: Signing,
    private readonly throttle: LoginThrottle,
    private readonly signIns: SignIns,
  ) {}

  /** The token to print; null if there is an operator. */
  async token(): Promise<string | null> {
    if (await this.operators.exist()) return null;
    return this.signing.seal('first_run', MESSAGE).slice(MESSAGE.length + 1);
  }

  /**
   * Creates the first operator. Wrong tokens are counted, delayed and locked like wrong passwords.
   * @throws Problem conflict if there is an operator; unauthenticated for a wrong token; too_many_attempts;
   * validation_failed for a common password.
   */
  async create({ token, email, password }: FirstOperator, trace: SignInTrace): Promise<{ id: string }> {
    const attempt = await this.throttle.admit(ACCOUNT, { address: trace.ip });
    if (await this.operators.exist()) throw alreadyDone();
    if (this.signing.unseal('first_run', `${MESSAGE}.${token}`) === null) {
      await this.throttle.failed(attempt);
      this.signIns.refused({ id: null, tenant_id: null }, trace, 401);
      throw unauthenticated();
    }
    await this.throttle.forgive(attempt);
    const hash = await this.passwords.hashChosen(password, '/password');
    const id = await this.operators.createFirst({ email, name: 'Operator', hash }, (made) =>
      this.signIns.granted({ id: made, role: 'operator', tenant_id: null }, trace),
    );
    if (id === null) throw alreadyDone();
    this.logger.log({ event: 'operator_created' });
    return { id };
  }
}

function alreadyDone(): Problem {
  return new Problem(
    'conflict',
    'this installation has an operator: sign in, or run "vigie operators create"',
  );
}
