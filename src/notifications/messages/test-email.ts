import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../platform/clock/clock.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { notFound, Problem } from '../../platform/errors/problem.js';
import type { TestEmail } from '../feed/feed.dto.js';
import { Notifications } from '../notifications.service.js';

declare module '../../contracts/kinds.js' {
  interface NotificationData {
    test: { requested_by: string | null };
  }
}

const MAX_PER_MINUTE = 5;
const MINUTE_MS = 60_000;

/** Sends a test mail to the caller. */
@Injectable()
export class TestEmails {
  constructor(
    private readonly notifications: Notifications,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Creates a test message to the user's own address.
   * @throws Problem too_many_attempts for the sixth within a minute.
   */
  async create(tx: TenantTransaction, userId: string): Promise<TestEmail> {
    // Serializes concurrent requests, to count them.
    await tx.lock(`test-email:${tx.tenant_id}:${userId}`);
    const user = await tx.one<{ name: string; recent: number }>(
      `SELECT u.name,
              (SELECT count(*) FROM notifications n
               WHERE n.tenant_id = $1 AND n.user_id = $2 AND n.kind = 'test' AND n.created_at > $3) AS recent
       FROM users u
       WHERE u.tenant_id = $1 AND u.id = $2`,
      [tx.tenant_id, userId, new Date(this.clock.now().getTime() - MINUTE_MS)],
    );
    if (user === null) throw notFound();
    if (user.recent >= MAX_PER_MINUTE) {
      throw new Problem('too_many_attempts', `at most ${MAX_PER_MINUTE} test messages a minute`, {
        headers: { 'retry-after': String(MINUTE_MS / 1_000) },
      });
    }
    const { notification_ids } = await this.notifications.createMany(
      tx,
      [
        {
          user_id: userId,
          kind: 'test',
          severity: 'info',
          data: { requested_by: user.name },
          audience: 'self',
          dedupe_key: `test:${randomUUID()}`,
        },
      ],
      { created_by: `user:${userId}` },
    );
    const [notification_id] = notification_ids;
    if (notification_id === undefined) throw new Error('a test message was not created');
    return { notification_id };
  }
}
