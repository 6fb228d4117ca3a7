import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../platform/database/transaction.js';

type Listener = (tx: TenantTransaction) => Promise<void>;

/**
 * What later rooms do when a tenant changes, in the transaction that changes it: either both are committed or
 * neither. They register at start.
 */
@Injectable()
export class TenantEvents {
  private readonly settingsListeners: Listener[] = [];

  /** Settings, zone or suspension have changed: what was decided by them may be decided anew. */
  onSettingsChanged(listener: Listener): void {
    this.settingsListeners.push(listener);
  }

  /** For this room. One after the other, in order of registration: they share the transaction's connection. */
  async settingsChanged(tx: TenantTransaction): Promise<void> {
    for (const listener of this.settingsListeners) await listener(tx);
  }
}
