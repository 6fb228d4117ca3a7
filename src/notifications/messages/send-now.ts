import { Injectable } from '@nestjs/common';
import type { DeliveryJob } from '../../contracts/jobs.js';
import { DirectSending } from '../../delivery/sending/direct-sending.js';
import { Database } from '../../platform/database/database.js';
import { type CreatingRequest, Idempotency } from '../../platform/http/idempotency.js';
import { type Message, MAX_AT_ONCE } from './message.js';
import type { MessageState } from './messages.dto.js';
import { Messages } from './messages.service.js';

/** The sender: their limits apply, and they may read the outcome. */
export interface Sender {
  tenant_id: string;
  /** `user:<id>` or `key:<id>`. */
  principal: string;
}

/** Sends in the request, bypassing the queue but not hours and limits. */
@Injectable()
export class SendNow {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly messages: Messages,
    private readonly direct: DirectSending,
  ) {}

  /**
   * Creates a message, sends it, and returns the outcome: `sent` with the provider's id, `failed` with the error, or
   * `pending` with the time of the next attempt, or of the hour that it waits for. At most 50 recipients, because the
   * caller waits. Always recorded; if the process is killed meanwhile, the dispatcher continues.
   *
   * Call it outside of transactions. With the key of an earlier request, or a `dedupe_key` that the recipient already
   * has, it sends nothing and returns the current state.
   * @throws Problem limit_reached, with nothing created; validation_failed for users outside the tenant.
   * @example
   * const [state] = await sendNow.sendNow(caller, {
   *   channel: 'email', to: { user_ids: [userId] }, subject: 'Relance', body: 'Bonjour …',
   * });
   */
  async sendNow(
    sender: Sender,
    message: Message,
    request: CreatingRequest = { key: null, hash: () => Buffer.alloc(0) },
  ): Promise<MessageState[]> {
    if ('user_ids' in message.to && message.to.user_ids.length > MAX_AT_ONCE) {
      throw new Error(`sendNow takes at most ${MAX_AT_ONCE} recipients`);
    }
    // Empty for a retry: it finds the state of the first, and sends nothing.
    let jobs: DeliveryJob[] = [];
    const created = await this.idempotency.create(sender, request, async (tx) => {
      const states = await this.messages.create(tx, message, sender.principal);
      const pending = states
        .filter((state) => state.created)
        .flatMap(({ deliveries }) => deliveries.filter(({ state }) => state === 'pending'));
      const ids = pending.map(({ id }) => id);
      jobs = await this.direct.admit(tx, message.channel, ids, sender.principal);
      return states.map(({ id, created: isNew }) => ({ id, created: isNew }));
    });
    await this.direct.send(jobs);
    return this.database.tenant(sender.tenant_id, (tx) => this.messages.states(tx, created));
  }
}
