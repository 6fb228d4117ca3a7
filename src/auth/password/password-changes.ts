import { Injectable, Logger } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import { invalid, Problem } from '../../platform/errors/problem.js';
import type { SignedIn } from '../../platform/http/caller.js';
import { TenantDirectory } from '../../tenants/tenant-directory.js';
import { Credentials } from '../../users/credentials.js';
import type { PasswordChange } from '../auth.dto.js';
import { CredentialChanges } from './credential-changes.js';
import { type LoginName, LoginThrottle } from '../sessions/login-throttle.js';
import { Operators } from '../operators.js';
import { Passwords } from './passwords.js';

/** An account, and how to replace its password while it still has this hash. */
interface Account {
  name: LoginName;
  password_hash: string | null;
  /** Resolves to false when the password has changed meanwhile. */
  replace(hash: string): Promise<boolean>;
}

/** Signed-in people change their own password. */
@Injectable()
export class PasswordChanges {
  private readonly logger = new Logger('Login');

  constructor(
    private readonly database: Database,
    private readonly tenants: TenantDirectory,
    private readonly credentials: Credentials,
    private readonly operators: Operators,
    private readonly passwords: Passwords,
    private readonly changes: CredentialChanges,
    private readonly throttle: LoginThrottle,
  ) {}

  /**
   * Ends every other session and all one-time links of the same person. Attempts of one session count like logins, so
   * that a stolen token cannot guess the password.
   * @param address of the client. @throws Problem validation_failed for a wrong password and a common new one,
   * too_many_attempts, conflict with a concurrent change.
   */
  async change(
    signedIn: SignedIn,
    { current_password, new_password }: PasswordChange,
    address: string,
  ): Promise<void> {
    const account = await this.accountOf(signedIn);
    const attempt = await this.throttle.admit(account.name, { address, session: signedIn.session });
    if (!(await this.passwords.verify(account.password_hash, current_password))) {
      await this.throttle.failed(attempt);
      throw invalid('/current_password', 'is not your password');
    }
    await this.throttle.forgive(attempt);
    const hash = await this.passwords.hashChosen(new_password, '/new_password');
    if (!(await account.replace(hash))) {
      throw new Problem('conflict', 'another request changed the password at the same time');
    }
    this.logger.log({ event: 'password_changed', principal: signedIn.caller.principal });
  }

  private async accountOf({ caller, session }: SignedIn): Promise<Account> {
    if (caller.kind === 'operator') {
      const { operator_id: id } = caller;
      const operator = await this.operators.byId(id);
      if (operator === null) throw new Problem('unauthenticated');
      const { email, password_hash } = operator;
      return {
        name: { tenant: undefined, email },
        password_hash,
        replace: (hash) => this.operators.replacePassword(id, { from: password_hash, to: hash }, session),
      };
    }
    const { tenant_id, user_id } = caller;
    const tenant = await this.tenants.byId(tenant_id);
    if (tenant === null || user_id === null) throw new Problem('unauthenticated');
    const user = await this.database.tenant(tenant_id, (tx) => this.credentials.byId(tx, user_id));
    if (user === null) throw new Problem('unauthenticated');
    return {
      name: { tenant: tenant.slug, email: user.email.toLowerCase() },
      password_hash: user.password_hash,
      replace: (hash) =>
        this.database.tenant(tenant_id, async (tx) => {
          const held = await this.credentials.holdUnchanged(tx, user, 'NO KEY UPDATE');
          if (held === null) return false;
          await this.changes.setPassword(tx, user_id, hash, session);
          return true;
        }),
    };
  }
}
