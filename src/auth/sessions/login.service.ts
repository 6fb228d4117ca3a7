import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { invalid, notFound, Problem } from '../../platform/errors/problem.js';
import type { AnyCaller, TenantCaller } from '../../platform/http/caller.js';
import { TenantDirectory, type TenantEntry } from '../../tenants/tenant-directory.js';
import { Credentials } from '../../users/credentials.js';
import { UserEvents } from '../../users/user-events.js';
import { assertMayTouch } from '../../users/users.service.js';
import { LoginForm, type NewPassword, type PasswordResetForm } from '../auth.dto.js';
import { ConsoleSessions } from './console-sessions.js';
import { LoginThrottle } from './login-throttle.js';
import { Operators } from '../operators.js';
import { CredentialChanges } from '../password/credential-changes.js';
import { PasswordLinks } from '../password/password-links.js';
import { Passwords } from '../password/passwords.js';
import { SessionCookies } from './session-cookies.js';
import { Sessions, type TokenPair } from './sessions.js';
import { type SignInRecord, SignIns, type SignInTrace } from './sign-ins.js';

/** Minimum time of a request for a link, so that timing does not reveal whether the user exists. */
const RESET_ANSWER_MS = 250;

/** The response to a login. */
export interface LoggedIn extends TokenPair {
  /** Identifies the client to this account in later logins. */
  device_token: string;
}

/** The user or operator with an address, before the password is checked. */
interface Claimed {
  id: string;
  password_hash: string | null;
  role: 'member' | 'admin' | 'operator';
  tenant: TenantEntry | null;
}

/** Logs in, and sets passwords by link. */
@Injectable()
export class LoginService {
  private readonly logger = new Logger('Login');

  constructor(
    private readonly database: Database,
    private readonly tenants: TenantDirectory,
    private readonly credentials: Credentials,
    private readonly userEvents: UserEvents,
    private readonly operators: Operators,
    private readonly passwords: Passwords,
    private readonly links: PasswordLinks,
    private readonly changes: CredentialChanges,
    private readonly sessions: Sessions,
    private readonly console: ConsoleSessions,
    private readonly cookies: SessionCookies,
    private readonly throttle: LoginThrottle,
    private readonly signIns: SignIns,
  ) {}

  /**
   * Without a tenant an operator logs in. The answer never says what was wrong, and takes as long for an unknown user
   * as for a known one.
   * @throws Problem invalid_credentials, too_many_attempts; tenant_suspended, only with the right password.
   */
  async login(form: LoginForm, trace: SignInTrace, userAgent = ''): Promise<LoggedIn> {
    const { id, password_hash, tenant, device_token } = await this.recognise(form, trace);
    if (tenant === null) {
      return { ...(await this.sessions.beginOperator({ id, password_hash }, userAgent)), device_token };
    }
    return this.database.tenant(tenant.id, async (tx) => {
      const user = await this.credentials.holdUnchanged(
        tx,
        { id, email: form.email, password_hash },
        'SHARE',
      );
      if (user === null) throw new Problem('invalid_credentials');
      return { ...(await this.sessions.begin(tx, user, userAgent)), device_token };
    });
  }

  /**
   * Logs in a browser: like `login`, but its session and its device token are cookies. A session that it had ends.
   * @returns the caller, and the `Set-Cookie` headers.
   * @throws Problem as `login`.
   */
  async signIn(
    form: LoginForm,
    trace: SignInTrace,
    { cookie: header, 'user-agent': userAgent = '' }: IncomingHttpHeaders,
  ): Promise<{ caller: AnyCaller; cookies: string[] }> {
    const device = form.device_token ?? this.cookies.deviceIn(header);
    const { id, password_hash, role, tenant, device_token } = await this.recognise(
      Object.assign(new LoginForm(), form, { device_token: device }),
      trace,
    );
    const cookie =
      tenant === null
        ? await this.console.beginOperator({ id, password_hash }, userAgent)
        : await this.database.tenant(tenant.id, async (tx) => {
            const known = { id, email: form.email, password_hash };
            const user = await this.credentials.holdUnchanged(tx, known, 'SHARE');
            if (user === null) throw new Problem('invalid_credentials');
            return this.console.begin(tx, id, userAgent);
          });
    await this.console.end(header);
    return {
      caller: callerOf({ id, role, tenant }),
      cookies: [cookie, this.cookies.keepDevice(device_token)],
    };
  }

  /**
   * Sets the password of a one-time link's user, and ends the user's sessions.
   * @throws Problem validation_failed for a token that is not one of ours and for a common password, link_used,
   * tenant_suspended.
   */
  async setPassword({ token, password }: NewPassword, trace: SignInTrace): Promise<void> {
    const link = this.links.read(token);
    if (link === null) throw invalid('/token', 'is not a link token');
    const tenant = await this.tenants.byId(link.tenant_id);
    if (tenant === null) throw new Problem('link_used');
    if (tenant.suspended_at !== null) throw new Problem('tenant_suspended');
    const hash = await this.passwords.hashChosen(password, '/password');
    let record: SignInRecord = null;
    const setting = this.database.tenant(tenant.id, async (tx) => {
      // The user before the link, as everywhere.
      const userId = await this.links.ownerOf(tx, link.link_id);
      if (userId === null || (await this.credentials.hold(tx, userId)) === null)
        throw new Problem('link_used');
      if ((await this.links.redeem(tx, link.link_id)) === null) throw new Problem('link_used');
      this.logger.log({ event: 'password_set', tenant_id: tenant.id, user_id: userId });
      const user = await this.changes.setPassword(tx, userId, hash);
      if (user === null) return null;
      record = await this.signIns.passwordSet({ id: userId, role: user.role, tenant_id: tenant.id }, trace);
      return user.email;
    });
    const email = await this.signIns.finishing(setting, 204, () => record);
    if (email !== null) {
      const name = { tenant: tenant.slug, email: email.toLowerCase() };
      await this.throttle.startAnew(name, { address: trace.ip });
    }
  }

  /**
   * A link for a user's first password, to hand over. It replaces earlier links.
   * @throws Problem not_found; forbidden for an admin's link when the caller may not change admins; conflict when the
   * user has a password: a link would give access to the account.
   */
  async firstPasswordLink(by: TenantCaller, userId: string): Promise<{ url: string; expires_at: Date }> {
    return this.database.tenant(by.tenant_id, async (tx) => {
      const user = await this.credentials.hold(tx, userId);
      if (user === null) throw notFound();
      assertMayTouch(by, user.role);
      if (user.password_hash !== null) {
        throw new Problem('conflict', 'the user already has a password: only they can request a new one');
      }
      // Only one link is valid at a time: the old one may be in another mailbox.
      await this.links.endAll(tx, userId);
      const { link_id, expires_at } = await this.links.create(tx, userId, 'welcome');
      return { url: this.links.url(by.tenant_id, link_id, await this.slugOf(tx)), expires_at };
    });
  }

  /**
   * A one-time link to set a new password, for the person who runs the installation (`vigie users
   * reset-password`). It replaces earlier links; the old password works until the link is used.
   * @throws Problem not_found
   */
  async handedLink(tenantId: string, userId: string): Promise<{ url: string; expires_at: Date }> {
    return this.database.tenant(tenantId, async (tx) => {
      const user = await this.credentials.hold(tx, userId);
      if (user === null) throw notFound();
      await this.links.endAll(tx, userId);
      const purpose = user.password_hash === null ? 'welcome' : 'password_reset';
      const { link_id, expires_at } = await this.links.create(tx, userId, purpose);
      return { url: this.links.url(tenantId, link_id, await this.slugOf(tx)), expires_at };
    });
  }

  /** For the link's page, which leads to the sign-in form. */
  private async slugOf(tx: TenantTransaction): Promise<string> {
    const tenant = await tx.one<{ slug: string }>(`SELECT slug FROM tenants WHERE id = $1`, [tx.tenant_id]);
    if (tenant === null) throw notFound();
    return tenant.slug;
  }

  /**
   * Mails a link to the user with this address, if there is one; the answer does not say.
   * @param address of the client
   */
  async requestPasswordReset(form: PasswordResetForm, address: string): Promise<void> {
    await Promise.all([this.mailLink(form, address), delay(RESET_ANSWER_MS)]);
  }

  private async mailLink(
    { tenant: slug, email, device_token: device }: PasswordResetForm,
    address: string,
  ): Promise<void> {
    const tenant = await this.tenants.bySlug(slug);
    const { password_hash } = (tenant === null ? null : await this.claim(tenant, email)) ?? {};
    if (!(await this.throttle.admitReset({ tenant: slug, email }, { address, device, password_hash })))
      return;
    if (tenant === null || tenant.suspended_at !== null) return;
    await this.database.tenant(tenant.id, async (tx) => {
      const user = await this.credentials.holdByEmail(tx, email);
      if (user === null) return;
      const { id, name, locale } = user;
      await this.userEvents.passwordResetRequested(tx, { id, email: user.email, name, locale });
    });
  }

  /**
   * Authenticates by password. The attempt is counted, and recorded when it is refused or when the account is an
   * admin's or operator's.
   */
  private async recognise(
    { email, password, tenant: slug, device_token: device }: LoginForm,
    trace: SignInTrace,
  ): Promise<Claimed & { password_hash: string; device_token: string }> {
    const name = { tenant: slug, email };
    const tenant = slug === undefined ? null : await this.tenants.bySlug(slug);
    const claimed = slug !== undefined && tenant === null ? null : await this.claim(tenant, email);
    const account = claimed === null ? { id: null, tenant_id: tenant?.id ?? null } : accountOf(claimed);
    const source = { address: trace.ip, device, password_hash: claimed?.password_hash ?? null };
    const attempt = await this.throttle.admit(name, source).catch((error: unknown) => {
      if (error instanceof Problem) this.signIns.refused(account, trace, error.status);
      throw error;
    });
    const right = await this.passwords.verify(claimed?.password_hash ?? null, password);
    if (!right || claimed?.password_hash == null) {
      await this.throttle.failed(attempt);
      this.logger.log({ event: 'login_refused', attempt: attempt.attempt });
      this.signIns.refused(account, trace, 401);
      throw new Problem('invalid_credentials');
    }
    await this.throttle.forgive(attempt);
    if (claimed.tenant !== null && claimed.tenant.suspended_at !== null) {
      this.signIns.refused(account, trace, 403);
      throw new Problem('tenant_suspended');
    }
    await this.signIns.granted(accountOf(claimed), trace);
    const device_token = this.throttle.deviceToken(name, source);
    return { ...claimed, password_hash: claimed.password_hash, device_token };
  }

  /** @param tenant null: an operator's. */
  private async claim(tenant: TenantEntry | null, email: string): Promise<Claimed | null> {
    if (tenant === null) {
      const operator = await this.operators.byEmail(email);
      return operator === null ? null : { ...operator, role: 'operator', tenant: null };
    }
    const user = await this.database.tenant(tenant.id, (tx) => this.credentials.byEmail(tx, email));
    return user === null ? null : { id: user.id, password_hash: user.password_hash, role: user.role, tenant };
  }
}

function callerOf({ id, role, tenant }: Omit<Claimed, 'password_hash'>): AnyCaller {
  if (tenant === null || role === 'operator')
    return { kind: 'operator', operator_id: id, principal: `operator:${id}` };
  return { kind: 'user', tenant_id: tenant.id, principal: `user:${id}`, user_id: id, agent_id: null, role };
}

function accountOf({ id, role, tenant }: Claimed) {
  return { id, role, tenant_id: tenant?.id ?? null };
}
