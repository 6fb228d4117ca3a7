import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { StoppedAddresses } from './stopped-addresses/stopped-addresses.service.js';
import {
  BEING_SENT,
  ERASED_PAGE,
  FORGET_PAGE_OF_ERASED,
  STILL_SENT,
  SUPPRESS_FORGOTTEN,
  SUPPRESS_PAGE_OF_ERASED,
} from './transitions/erasure.sql.js';

/** Whose deliveries are erased. */
export interface ErasedRecipient {
  /** In lower case. */
  addresses: readonly string[];
  recipients: readonly string[];
}

interface ForgottenPage {
  seen: number;
  last: string | null;
  forgotten: number;
}

/** The part of an erasure that concerns deliveries. */
@Injectable()
export class DeliveryErasure {
  constructor(
    private readonly stopped: StoppedAddresses,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Ends the person's waiting deliveries of a page, and deletes from all of them the addresses, texts and answers.
   * @param after the last id of the page before; null at first
   * @returns the last id; null after the last page
   */
  async forgetPage(
    tx: TenantTransaction,
    { addresses, recipients }: ErasedRecipient,
    after: string | null,
  ): Promise<{ after: string | null; forgotten: number }> {
    const page = [tx.tenant_id, after, recipients, addresses];
    await tx.execute(SUPPRESS_PAGE_OF_ERASED, [...page, this.clock.now()]);
    const found = await tx.one<ForgottenPage>(FORGET_PAGE_OF_ERASED, page);
    const { seen, last, forgotten } = found ?? { seen: 0, last: null, forgotten: 0 };
    return { after: seen < ERASED_PAGE ? null : last, forgotten };
  }

  /** Ends deliveries without an address that wait, such as those of a process that was killed while sending. */
  async endForgotten(tx: TenantTransaction): Promise<void> {
    await tx.execute(SUPPRESS_FORGOTTEN, [tx.tenant_id, this.clock.now()]);
  }

  /** The messages of the tenant that are being sent now, to anybody: their outcomes will have their texts. */
  async beingSent(tx: TenantTransaction): Promise<string[]> {
    return (await tx.query<{ token: string }>(BEING_SENT, [tx.tenant_id])).map(({ token }) => token);
  }

  /** Whether one of these messages is still being sent. */
  async isBeingSent(tx: TenantTransaction, tokens: readonly string[]): Promise<boolean> {
    return (await tx.one(STILL_SENT, [tx.tenant_id, tokens])) !== null;
  }

  /** Forgets that these addresses are stopped. @returns how many were */
  async freeAddresses(tx: TenantTransaction, addresses: readonly string[]): Promise<number> {
    return this.stopped.erase(tx, addresses);
  }
}
