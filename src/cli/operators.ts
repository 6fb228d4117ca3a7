import type { INestApplicationContext } from '@nestjs/common';
import { type OperatorCredentials, Operators } from '../auth/operators.js';
import { LoginThrottle } from '../auth/sessions/login-throttle.js';
import { parseEmailAddress } from '../platform/addresses/email-address.js';
import { audited } from './audited.js';
import { type Environment, tenantOf, withInstallation, withReadableErrors } from './installation.js';
import { readNewPassword, type Terminal } from './password-input.js';
import { tableOf } from './table.js';

export interface OperatorOptions {
  name?: string;
  tenant?: string;
  json?: boolean;
}

const MAX_NAME = 200;

/** `vigie operators list`: the text to print. */
export async function listOperators(environment: Environment, { json }: OperatorOptions): Promise<string> {
  const operators = await withInstallation(environment, (app) => accounts(app).list());
  if (json === true) return JSON.stringify(operators, null, 2);
  if (operators.length === 0) return 'No operators yet. Create one with: vigie operators create <email>';
  return tableOf(
    ['email', 'name', 'since', 'open sessions'],
    operators.map(({ email, name, created_at, sessions }) => [
      email,
      name,
      created_at.toISOString().slice(0, 10),
      String(sessions),
    ]),
  );
}

/**
 * `vigie operators create <email>`: creates an operator.
 * @throws Error in plain words: no address, a taken one, a password that is too short or too common.
 */
export async function createOperator(
  environment: Environment,
  written: string,
  { name = 'Operator', json }: OperatorOptions,
  terminal: Terminal,
): Promise<string> {
  const email = addressOf(written);
  if (name.trim() === '' || name.length > MAX_NAME)
    throw new Error(`--name must have 1 to ${MAX_NAME} characters`);
  return withReadableErrors(environment, async (app) => {
    if ((await accounts(app).byEmail(email.toLowerCase())) !== null)
      throw new Error(`an operator ${email} already exists`);
    const password = await readNewPassword(terminal);
    const id = await audited(app, { action: 'vigie operators create' }, () =>
      accounts(app).create({ email, name: name.trim(), password }),
    );
    return json === true
      ? JSON.stringify({ id, email, name: name.trim() }, null, 2)
      : `Created operator ${email}. Sign in at /ops/login, or with POST /api/v1/auth/login without a tenant.`;
  });
}

/**
 * `vigie operators reset-password <email>`: sets a new password, ends the operator's sessions, lifts locks.
 * @throws Error in plain words.
 */
export async function resetOperatorPassword(
  environment: Environment,
  written: string,
  { json }: OperatorOptions,
  terminal: Terminal,
): Promise<string> {
  return withReadableErrors(environment, async (app) => {
    const { id, email } = await operatorOf(app, written);
    const password = await readNewPassword(terminal);
    const act = { action: 'vigie operators reset-password', targets: { operator: id } };
    await audited(app, act, () => accounts(app).resetPassword(id, password));
    const unlocked = await app
      .get(LoginThrottle, { strict: false })
      .unlock({ tenant: undefined, email })
      .then(
        () => true,
        () => false,
      );
    if (json === true) return JSON.stringify({ id, email, unlocked }, null, 2);
    const changed = `The password of ${email} is changed, and all sessions have ended.`;
    return unlocked
      ? changed
      : `${changed} Locks could not be lifted, for Redis did not answer: vigie operators unlock ${email} does it later.`;
  });
}

/**
 * `vigie operators unlock <email>`: clears failed logins of an operator, or of a tenant's user.
 * @throws Error in plain words.
 */
export async function unlockLogin(
  environment: Environment,
  written: string,
  { tenant: slug, json }: OperatorOptions,
): Promise<string> {
  return withReadableErrors(environment, async (app) => {
    const email = addressOf(written).toLowerCase();
    const tenant = slug === undefined ? null : await tenantOf(app, slug);
    if (slug === undefined) await operatorOf(app, email);
    const act = {
      action: 'vigie operators unlock',
      ...(tenant === null ? {} : { tenant: { id: tenant.id } }),
    };
    await audited(app, act, () => app.get(LoginThrottle, { strict: false }).unlock({ tenant: slug, email }));
    return json === true
      ? JSON.stringify({ email, tenant: slug ?? null }, null, 2)
      : `Cleared the failed sign-ins of ${email}: they can sign in now.`;
  });
}

function accounts(app: INestApplicationContext): Operators {
  return app.get(Operators, { strict: false });
}

function addressOf(written: string): string {
  const email = parseEmailAddress(written);
  if (email === null) throw new Error(`${written} is not an e-mail address`);
  return email;
}

async function operatorOf(app: INestApplicationContext, written: string): Promise<OperatorCredentials> {
  const email = addressOf(written);
  const operator = await accounts(app).byEmail(email.toLowerCase());
  if (operator === null) throw new Error(`there is no operator ${email}: vigie operators list shows all`);
  return operator;
}
