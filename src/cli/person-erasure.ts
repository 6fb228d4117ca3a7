import { actingAdmin } from '../ops/privacy/erasure/acting-admin.js';
import type { Erasure } from '../ops/privacy/erasure/erasure.js';
import { Erasures } from '../ops/privacy/erasure/erasures.service.js';
import { audited } from './audited.js';
import { UsageError } from './exit-codes.js';
import { type Environment, tenantOf, withReadableErrors } from './installation.js';
import { personOf, type PersonOptions } from './person-export.js';

export interface ErasureOptions extends PersonOptions {
  /** It cannot be undone: it must be confirmed. */
  yes?: boolean;
  json?: boolean;
}

/**
 * `vigie users erase <email>`, or `--address`: erases a person completely, unless the erasure has to wait. The audit log
 * records the user's id or a hash of the address, and the erasure's id.
 * @returns the text to print
 * @throws UsageError without a confirmation; Error in plain words.
 */
export async function erasePerson(
  environment: Environment,
  email: string | undefined,
  { tenant: slug, address, yes, json }: ErasureOptions,
): Promise<string> {
  if ((email === undefined) === (address === undefined))
    throw new UsageError('name either the e-mail address of a user, or --address');
  if (yes !== true)
    throw new UsageError(
      `this erases ${email ?? address ?? ''} from ${slug}, archives included, and cannot be undone: confirm with --yes`,
    );
  const erasure = await withReadableErrors(environment, async (app) => {
    const tenant = await tenantOf(app, slug);
    const { user_id } = await personOf(app, tenant, email, address ?? '');
    const erasures = app.get(Erasures, { strict: false });
    // Pass an address on as it is: a number that several users have is refused.
    const target = address === undefined && user_id !== null ? { user_id } : { address: address ?? '' };
    const act = {
      action: 'vigie users erase',
      tenant: { id: tenant.id },
      targets: await erasures.auditedTarget(tenant.id, target),
    };
    return audited(app, act, async (note) => {
      const { id } = await erasures.begin(actingAdmin(tenant.id, 'cli'), target);
      note({ erasure: id });
      return erasures.finish(tenant.id, id);
    });
  });
  return json === true ? JSON.stringify(erasure, null, 2) : described(erasure);
}

function described({ id, state, waiting_for, counts, unreadable_archives }: Erasure): string {
  const rows = Object.entries(counts).map(([name, count]) => `${name}: ${count}`);
  const end =
    state === 'succeeded'
      ? `Erased (erasure ${id}).`
      : `The account is gone. The rest follows in the background (erasure ${id}, waiting for: ${waiting_for ?? 'a worker'}).`;
  return [
    ...(rows.length > 0 ? rows : ['Nothing was found.']),
    ...unreadable_archives.map((archive) => `Not searched, because it is damaged: ${archive}`),
    end,
  ].join('\n');
}
