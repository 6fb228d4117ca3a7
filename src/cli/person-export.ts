import type { INestApplicationContext } from '@nestjs/common';
import { PersonExports } from '../ops/privacy/exports.service.js';
import { type Subject, Subjects } from '../ops/privacy/subject.js';
import { audited } from './audited.js';
import { UsageError } from './exit-codes.js';
import { type Environment, tenantOf, withReadableErrors } from './installation.js';
import { userId } from './users.js';

export interface PersonOptions {
  tenant: string;
  address?: string;
}

/**
 * `vigie users export <email>`, or `--address`. The act is audited by the user's id alone.
 * @param print takes each line
 * @throws Error in plain words.
 */
export async function exportPerson(
  environment: Environment,
  email: string | undefined,
  { tenant: slug, address }: PersonOptions,
  print: (line: string) => void,
): Promise<void> {
  if ((email === undefined) === (address === undefined))
    throw new UsageError('name either the e-mail address of a user, or --address');
  await withReadableErrors(environment, async (app) => {
    const tenant = await tenantOf(app, slug);
    const subject = await personOf(app, tenant, email, address ?? '');
    const act = {
      action: 'vigie users export',
      tenant: { id: tenant.id },
      ...(subject.user_id !== null && { targets: { user: subject.user_id } }),
    };
    await audited(app, act, () =>
      app.get(PersonExports, { strict: false }).write(tenant.id, subject, (line) => {
        print(line);
        return Promise.resolve();
      }),
    );
  });
}

/** The person that a command names. @throws Error in plain words */
export async function personOf(
  app: INestApplicationContext,
  tenant: { id: string; slug: string },
  email: string | undefined,
  address: string,
): Promise<Subject> {
  const subjects = app.get(Subjects, { strict: false });
  if (email === undefined) return subjects.ofAddress(tenant.id, address);
  const id = await userId(app, tenant.id, email);
  if (id === null) throw new Error(`there is no user ${email} in ${tenant.slug}: vigie users list shows all`);
  return subjects.ofUser(tenant.id, id);
}
