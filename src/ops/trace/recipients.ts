import { Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { shownUrl } from '../../delivery/channels/webhook/endpoints/endpoint.js';
import { Outbox } from '../../delivery/outbox.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { invalid, notFound } from '../../platform/errors/problem.js';
import { parseUrl } from '../../platform/text/url.js';
import type { WhyRecipient } from './why.dto.js';

/** The recipient in question: a user or an address, not both. */
export interface AskedRecipient {
  user?: string;
  address?: string;
}

/** A recipient, and the address of the request. */
export interface FoundRecipient extends WhyRecipient {
  created_at: Date | null;
  /** The address of the request in lower case; null if it names a user. */
  address: string | null;
  endpoint_id: string | null;
}

interface UserRow {
  id: string;
  name: string;
  role: 'member' | 'admin';
  created_at: Date;
}

const USER_COLUMNS = 'id, name, role, created_at';

/** Finds the recipient of a request. */
@Injectable()
export class Recipients {
  /** @throws Problem validation_failed; not_found for an unknown user or endpoint, and another tenant's. */
  async find(tx: TenantTransaction, { user, address }: AskedRecipient): Promise<FoundRecipient> {
    if ((user === undefined) === (address === undefined))
      throw invalid('/user', 'name the recipient by either user or address');
    return user !== undefined ? this.byUser(tx, user) : this.byAddress(tx, address ?? '');
  }

  private async byUser(tx: TenantTransaction, user: string): Promise<FoundRecipient> {
    const byId = isUUID(user);
    const row = await tx.one<UserRow>(
      `SELECT ${USER_COLUMNS} FROM users WHERE tenant_id = $1 AND ${byId ? 'id = $2' : 'lower(email) = lower($2)'}`,
      [tx.tenant_id, user],
    );
    if (row !== null) return foundUser(row, [], null);
    // An erased user's notifications are kept.
    const recipient = `user:${user.toLowerCase()}`;
    if (!byId || !(await isKnown(tx, recipient))) throw notFound();
    return { ...NOBODY, recipients: [recipient] };
  }

  private async byAddress(tx: TenantTransaction, written: string): Promise<FoundRecipient> {
    if (isUUID(written) || /^https?:/i.test(written)) return this.endpoint(tx, written);
    const mail = Outbox.address('email', written);
    const bare = mail ?? Outbox.address('sms', written);
    if (bare === null)
      throw invalid(
        '/address',
        'must be an e-mail address, a phone number with its country code, or a webhook',
      );
    const address = bare.address.toLowerCase();
    const row = await tx.one<UserRow>(
      `SELECT ${USER_COLUMNS} FROM users
       WHERE tenant_id = $1 AND ${mail === null ? 'phone = $2' : 'lower(email) = $2'} ORDER BY id LIMIT 1`,
      [tx.tenant_id, address],
    );
    return row === null
      ? { ...NOBODY, recipients: [bare.recipient], address }
      : foundUser(row, [bare.recipient], address);
  }

  /** A deleted endpoint is known by its notifications. */
  private async endpoint(tx: TenantTransaction, written: string): Promise<FoundRecipient> {
    const url = parseUrl(written);
    const shown = url === null ? written : shownUrl(url);
    const [row = null, another] = await tx.query<{ id: string; url_shown: string; created_at: Date }>(
      `SELECT id, url_shown, created_at FROM webhook_endpoints
       WHERE tenant_id = $1 AND ${isUUID(written) ? 'id = $2' : 'url_shown IN ($2, $3)'} ORDER BY id LIMIT 2`,
      isUUID(written) ? [tx.tenant_id, written] : [tx.tenant_id, written, shown],
    );
    if (another !== undefined) throw invalid('/address', 'several webhooks lead there: name one by its id');
    const id = row?.id ?? (isUUID(written) ? written.toLowerCase() : null);
    if (id === null) throw notFound();
    const recipients = [`webhook:${id}`];
    if (row === null && !(await isKnown(tx, `webhook:${id}`))) throw notFound();
    const name = row?.url_shown ?? null;
    return { ...NOBODY, name, created_at: row?.created_at ?? null, recipients, endpoint_id: id };
  }
}

const NOBODY = {
  ...{ user_id: null, name: null, role: null, created_at: null, address: null, endpoint_id: null },
} as const;

function foundUser({ id, ...user }: UserRow, more: string[], address: string | null): FoundRecipient {
  return { ...user, user_id: id, recipients: [`user:${id}`, ...more], address, endpoint_id: null };
}

/** Whether the tenant has notified this recipient. Index: the unique key of notifications */
async function isKnown(tx: TenantTransaction, recipient: string): Promise<boolean> {
  const row = await tx.one(
    `SELECT 1 AS known FROM notifications WHERE tenant_id = $1 AND recipient = $2 LIMIT 1`,
    [tx.tenant_id, recipient],
  );
  return row !== null;
}
