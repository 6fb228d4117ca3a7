import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../../../platform/database/transaction.js';
import type { CallFault } from '../calls/call-error.js';
import type { DisableReason } from './endpoint.js';

/** An endpoint that needs the attention of an admin. */
export interface TroubledEndpoint {
  id: string;
  /** As shown to people: without a token. */
  url: string;
  /** When its failures began. */
  failing_since: Date;
  /** The last failure: the HTTP status of the answer, or why there was none. */
  status: number | null;
  fault: CallFault | null;
}

/** It has failed for a day. */
export interface FailingEndpoint extends TroubledEndpoint {
  /** When it will be disabled. */
  disabled_at: Date;
}

/** Vigie no longer calls it. */
export interface DisabledEndpoint extends TroubledEndpoint {
  reason: Exclude<DisableReason, 'admin'>;
}

type Listener<Endpoint> = (tx: TenantTransaction, endpoint: Endpoint) => Promise<void>;

/** Lets later rooms notify people about an endpoint, in the transaction that changes its state. */
@Injectable()
export class EndpointEvents {
  private readonly listeners = {
    failing: [] as Listener<FailingEndpoint>[],
    disabled: [] as Listener<DisabledEndpoint>[],
  };

  onFailing(listener: Listener<FailingEndpoint>): void {
    this.listeners.failing.push(listener);
  }

  /** Called when Vigie, not an admin, disables an endpoint. */
  onDisabled(listener: Listener<DisabledEndpoint>): void {
    this.listeners.disabled.push(listener);
  }

  async failing(tx: TenantTransaction, endpoint: FailingEndpoint): Promise<void> {
    for (const listener of this.listeners.failing) await listener(tx, endpoint);
  }

  async disabled(tx: TenantTransaction, endpoint: DisabledEndpoint): Promise<void> {
    for (const listener of this.listeners.disabled) await listener(tx, endpoint);
  }
}
