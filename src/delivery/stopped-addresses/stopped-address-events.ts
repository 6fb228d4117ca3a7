import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import type { StoppedAddress } from './stopped-address.js';

type Listener = (tx: TenantTransaction, stopped: readonly StoppedAddress[]) => Promise<void>;

/** Lets later rooms notify people about stopped addresses, in the transaction that stops them. */
@Injectable()
export class StoppedAddressEvents {
  private readonly listeners: Listener[] = [];

  onStopped(listener: Listener): void {
    this.listeners.push(listener);
  }

  async stopped(tx: TenantTransaction, stopped: readonly StoppedAddress[]): Promise<void> {
    for (const listener of this.listeners) await listener(tx, stopped);
  }
}
