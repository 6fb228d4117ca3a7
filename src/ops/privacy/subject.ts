import { Injectable } from '@nestjs/common';
import { CHANNELS } from '../../contracts/channels.js';
import { Outbox } from '../../delivery/outbox.js';
import { Database } from '../../platform/database/database.js';
import { invalid, notFound, Problem } from '../../platform/errors/problem.js';

/** A person as Vigie knows them: a user with their addresses, or an address alone. */
export interface Subject {
  /** Null: no user of the tenant has the address. */
  user_id: string | null;
  /** E-mail addresses and phone numbers, in lower case. */
  addresses: string[];
  /** `user:<id>`, `mailto:<address>`, `tel:<number>`: how notifications and deliveries name them. */
  recipients: string[];
}

interface UserRow {
  id: string;
  email: string;
  phone: string | null;
}

/** Finds the person whom an export or an erasure is about. */
@Injectable()
export class Subjects {
  constructor(private readonly database: Database) {}

  /** @throws Problem not_found */
  async ofUser(tenantId: string, userId: string): Promise<Subject> {
    const user = await this.database
      .single(tenantId)
      .one<UserRow>(`SELECT id, email, phone FROM users WHERE tenant_id = $1 AND id = $2`, [
        tenantId,
        userId,
      ]);
    if (user === null) throw notFound();
    return subjectOf(user);
  }

  /**
   * The user who has this e-mail address or phone number, else the address alone.
   * @param alone refuse a number that several users have
   * @throws Problem validation_failed when it is neither, conflict
   */
  async ofAddress(tenantId: string, written: string, alone = false): Promise<Subject> {
    const known = knownAddress(written);
    if (known === null)
      throw invalid('/address', 'must be an e-mail address, or a phone number with its country code');
    const [user, other] = await this.database.single(tenantId).query<UserRow>(
      `SELECT id, email, phone FROM users WHERE tenant_id = $1 AND (lower(email) = lower($2) OR phone = $2)
       ORDER BY lower(email) = lower($2) DESC, id LIMIT 2`,
      [tenantId, known.address],
    );
    if (alone && other !== undefined)
      throw new Problem('conflict', 'several users have this number: name one by user_id');
    if (user !== undefined) return subjectOf(user);
    return { user_id: null, addresses: [known.address.toLowerCase()], recipients: [known.recipient] };
  }
}

/** How notifications and deliveries name these addresses. */
export function recipientsOf(addresses: readonly string[]): string[] {
  return addresses.flatMap((address) => knownAddress(address)?.recipient ?? []);
}

/** E-mail and text messages only: other channels have no addresses of people. */
function knownAddress(written: string): { address: string; recipient: string } | null {
  for (const channel of CHANNELS) {
    const known = channel === 'email' || channel === 'sms' ? Outbox.address(channel, written) : null;
    if (known !== null) return known;
  }
  return null;
}

function subjectOf({ id, email, phone }: UserRow): Subject {
  const addresses = [email, ...(phone === null ? [] : [phone])];
  return {
    user_id: id,
    addresses: addresses.map((address) => address.toLowerCase()),
    recipients: [`user:${id}`, ...recipientsOf(addresses)],
  };
}
