import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../platform/database/transaction.js';

type Listener = (tx: TenantTransaction) => Promise<void>;

/**
 * Lets later rooms act when a tenant changes, in the transaction of the change: both are committed or neither.
 * Listeners register at start.
 */
@Injectable()
export class TenantEvents {
  private readonly settingsListeners: Listener[] = [];

  /** Settings, zone or suspension have changed: decisions based on them may need to be made again. */
  onSettingsChanged(listener: Listener): void {
    this.settingsListeners.push(listener);
  }

  /** Only for this room. Listeners run in order of registration: they share the transaction's connection. */
  async settingsChanged(tx: TenantTransaction): Promise<void> {
    for (const listener of this.settingsListeners) await listener(tx);
  }
}
