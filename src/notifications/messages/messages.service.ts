import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { NotificationData } from '../../contracts/kinds.js';
import { Clock } from '../../platform/clock/clock.js';
import type { TenantStatements } from '../../platform/database/database.js';
import type { SqlValue, TenantTransaction } from '../../platform/database/transaction.js';
import { invalid, Problem } from '../../platform/errors/problem.js';
import { Outbox } from '../../delivery/outbox.js';
import { TEMPLATE_PARTS, type TemplatePart } from '../../wording/template-files.js';
import { MessageTemplates } from '../../wording/tenant-templates/message-templates.js';
import { announcement, announceSql } from '../announcement.js';
import { DELIVERY_COLUMNS } from '../deliveries/deliveries.sql.js';
import type { FeedDelivery } from '../feed/feed.dto.js';
import { checkDueAt, type Message } from './message.js';
import type { MessageState } from './messages.dto.js';
import { Notifications } from '../notifications.service.js';
import { refuseUnknownUsers } from '../recipients.js';

/** What feeds and all channels but mail show. */
const FEED_PARTS: readonly TemplatePart[] = ['title', 'body'];

/** A recipient with one delivery; without any if the notification already existed. */
type StateRow = { notification_id: string | null; recipient: string; user_id: string | null } & (
  FeedDelivery | { [Field in keyof FeedDelivery]: null }
);

/** Messages of people and programs: one notification per recipient, with its delivery on the named channel. */
@Injectable()
export class Messages {
  constructor(
    private readonly notifications: Notifications,
    private readonly templates: MessageTemplates,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Creates it for recipients without its key, and returns the existing state for the others.
   * @param createdBy who sends it, as `user:<id>` or `key:<id>`; null for Vigie itself.
   * @returns in the order of the recipients.
   * @throws Problem validation_failed for users and tickets outside this tenant, and a `due_at` in the past; conflict if
   *   the cleanup has deleted the message with this key.
   */
  async create(tx: TenantTransaction, message: Message, createdBy: string | null): Promise<MessageState[]> {
    const { user_ids: userIds, pointer } = 'user_ids' in message.to ? message.to : { user_ids: null };
    if (message.ticket_id != null) await requireTicket(tx, message.ticket_id);
    if ('template' in message) await this.checkTemplate(tx, message);
    const now = this.clock.now();
    const dedupeKey = `message:${message.dedupe_key ?? randomUUID()}`;
    const rows = await this.notifications.announce<StateRow, 'message'>(
      tx,
      message.dedupe_key == null ? CREATE_NEW : CREATE,
      {
        message: JSON.stringify({ ...this.storedAs(message, dedupeKey, createdBy), user_ids: userIds }),
      },
    );
    const created = statesOf(rows, true);
    if (userIds !== null && new Set(rows.map(({ user_id }) => user_id)).size < userIds.length) {
      await refuseUnknownUsers(tx, userIds, pointer);
    }
    if (created.length > 0 && message.due_at) checkDueAt(message.due_at, now);
    this.notifications.announced(
      tx,
      created.flatMap(({ user_id }) => user_id ?? []),
      created.length,
    );
    const present = rows.filter(({ notification_id }) => notification_id === null);
    const before = await this.present(
      tx,
      'n.recipient = ANY ($2) AND n.dedupe_key = $3',
      [present.map(({ recipient }) => recipient), dedupeKey],
      present.length,
    );
    if (before.length < present.length) {
      throw new Problem(
        'conflict',
        'a message with this dedupe_key was sent earlier, and has been deleted since',
      );
    }
    return inOrder([...created, ...before], userIds);
  }

  /** The texts that the message may have: one of each language of its template. */
  async texts(tx: TenantStatements, message: Message): Promise<string[]> {
    if (!('template' in message)) return [message.body];
    const { template, data = {} } = message;
    return (await this.templates.words(tx, { template, data })).map(({ body }) => body.trim());
  }

  private async checkTemplate(tx: TenantTransaction, message: Extract<Message, { template: string }>) {
    const { template, data = {}, channel } = message;
    const parts = channel === 'email' ? TEMPLATE_PARTS : FEED_PARTS;
    await this.templates.check(tx, { template, data }, parts, Outbox.maxLength(channel));
  }

  /** The current state of these messages, in order. */
  async states(
    tx: TenantTransaction,
    created: readonly Pick<MessageState, 'id' | 'created'>[],
  ): Promise<MessageState[]> {
    const ids = created.map(({ id }) => id);
    const states = await this.present(tx, 'n.id = ANY ($2::uuid[])', [ids], ids.length);
    const byId = new Map(states.map((state) => [state.id, state]));
    return created.flatMap(({ id, created: isNew }) => {
      const state = byId.get(id);
      return state === undefined ? [] : [Object.assign(state, { created: isNew })];
    });
  }

  private storedAs(message: Message, dedupe_key: string, created_by: string | null): Record<string, unknown> {
    const { channel, to, kind = null, severity = 'info', data = {}, due_at = null, ticket_id } = message;
    const words =
      'template' in message ? { template: message.template } : { title: message.subject, body: message.body };
    const written: NotificationData['message'] = {
      kind,
      ...words,
      data,
      ...(ticket_id == null ? {} : { ticket_id: ticket_id.toLowerCase() }),
    };
    return {
      ...('recipient' in to ? to : {}),
      channel,
      created_by,
      dedupe_key,
      severity,
      data: written,
      due_at,
    };
  }

  private async present(
    tx: TenantTransaction,
    which: string,
    values: SqlValue[],
    recipients: number,
  ): Promise<MessageState[]> {
    if (recipients === 0) return [];
    return statesOf(
      await tx.query<StateRow>(
        `SELECT n.id AS notification_id, n.recipient, n.user_id, ${DELIVERY_COLUMNS}
         FROM notifications n LEFT JOIN deliveries d ON d.tenant_id = n.tenant_id AND d.notification_id = n.id
         WHERE n.tenant_id = $1 AND ${which}
         ORDER BY n.id, d.channel, d.address`,
        [tx.tenant_id, ...values],
      ),
      false,
    );
  }
}

async function requireTicket(tx: TenantTransaction, ticketId: string): Promise<void> {
  const ticket = await tx.one(`SELECT FROM tickets WHERE tenant_id = $1 AND id = $2`, [
    tx.tenant_id,
    ticketId,
  ]);
  if (ticket === null) throw invalid('/ticket_id', 'is not a ticket of this tenant');
}

/** One state per notification; skips rows without one. */
function statesOf(rows: readonly StateRow[], created: boolean): MessageState[] {
  const states = new Map<string, MessageState>();
  for (const { notification_id, recipient, user_id, ...delivery } of rows) {
    if (notification_id === null) continue;
    const state = states.get(notification_id) ?? {
      id: notification_id,
      recipient,
      user_id,
      created,
      deliveries: [],
    };
    if (delivery.id !== null) state.deliveries.push(delivery);
    states.set(notification_id, state);
  }
  return [...states.values()];
}

function inOrder(states: MessageState[], userIds: readonly string[] | null): MessageState[] {
  const places = new Map(userIds?.map((id, place) => [id, place]));
  const place = ({ user_id }: MessageState) => places.get(user_id ?? '') ?? 0;
  return states.sort((one, other) => place(one) - place(other));
}

/** The users are part of the JSON: for an array, PostgreSQL plans again at each call, which takes longer than running. */
const create = (options: { newKeys: boolean }) =>
  announcement(
    { message: 'jsonb' },
    (p) => `
  WITH message AS (
    SELECT * FROM jsonb_to_record(${p.message}) AS m (recipient text, address text, channel text, created_by text,
      dedupe_key text, severity text, data jsonb, due_at timestamptz, user_ids jsonb)
  ),
  audience AS (
    SELECT w.user_id, coalesce('user:' || w.user_id, m.recipient) AS recipient, m.address, m.channel,
           NULL::uuid AS alert_id, m.created_by, m.dedupe_key, 'message' AS kind, m.severity, m.data,
           'addressed' AS audience, coalesce(m.due_at, ${p.now}) AS due_at
    FROM message m
    CROSS JOIN LATERAL (
      SELECT NULL::uuid AS user_id WHERE jsonb_typeof(m.user_ids) IS DISTINCT FROM 'array'
      UNION ALL
      SELECT u.id FROM jsonb_array_elements_text(CASE jsonb_typeof(m.user_ids) WHEN 'array' THEN m.user_ids END) AS i (id)
      -- One by the index for each: the planner expects 100 ids, and would read all users of the tenant.
      CROSS JOIN LATERAL (
        SELECT id FROM users WHERE tenant_id = ${p.tenant_id} AND users.id = i.id::uuid LIMIT 1) u) w
  ),
  ${announceSql(p, { addressed: true, only: ['message'], ...options })}
  SELECT c.id AS notification_id, a.recipient, a.user_id, ${DELIVERY_COLUMNS}
  FROM audience a
  LEFT JOIN created c USING (recipient)
  LEFT JOIN delivered d ON d.notification_id = c.id`,
  );
const CREATE = create({ newKeys: false });
/** For messages without a key of their caller. */
const CREATE_NEW = create({ newKeys: true });
