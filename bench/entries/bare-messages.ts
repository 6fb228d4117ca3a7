import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { Body, Controller, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import pg from 'pg';
import { serve } from '../support/entry.js';

/** The body of the product's `POST notifications`. */
interface NewMessage {
  channel: string;
  user_ids: string[];
  subject: string;
  body: string;
}

interface CreatedNotification {
  id: string;
  user_id: string;
  recipient: string;
}

const { DATABASE_URL, TENANT_ID, CREATED_BY } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });

/**
 * The reference: the product's three inserts in one transaction, each planned once per connection. Checks nothing: no
 * caller, fields, limits or hours.
 */
@Controller('bare')
class BareController {
  @Post('messages')
  async create(@Body() message: NewMessage): Promise<object> {
    const connection = await pool.connect();
    try {
      await connection.query('BEGIN');
      const inboxes = await connection.query<{ user_id: string; seq: number }>({
        name: 'inboxes',
        text: INBOXES,
        values: [TENANT_ID, message.user_ids],
      });
      const written = { kind: null, title: message.subject, body: message.body, data: {} };
      const now = new Date();
      const { rows: created } = await connection.query<CreatedNotification>({
        name: 'notifications',
        text: NOTIFICATIONS,
        values: [
          TENANT_ID,
          JSON.stringify(inboxes.rows),
          CREATED_BY,
          `message:${randomUUID()}`,
          written,
          now,
        ],
      });
      const { rows: notifications } = await connection.query<{ id: string; delivery_id: string }>({
        name: 'deliveries',
        text: DELIVERIES,
        values: [TENANT_ID, JSON.stringify(created), message.channel, now],
      });
      await connection.query('COMMIT');
      return { notifications };
    } catch (error) {
      await connection.query('ROLLBACK');
      throw error;
    } finally {
      connection.release();
    }
  }
}

const INBOXES = `
  INSERT INTO inboxes AS i (tenant_id, user_id, seq)
  SELECT $1, user_id, 1 FROM unnest($2::uuid[]) AS u (user_id) ORDER BY user_id
  ON CONFLICT (tenant_id, user_id) DO UPDATE SET seq = i.seq + 1
  RETURNING user_id, seq`;

const NOTIFICATIONS = `
  INSERT INTO notifications (tenant_id, recipient, user_id, created_by, dedupe_key, kind, severity, data, audience, seq,
                             created_at)
  SELECT $1, 'user:' || i.user_id, i.user_id, $3, $4, 'message', 'info', $5, 'addressed', i.seq, $6
  FROM jsonb_to_recordset($2) AS i (user_id uuid, seq bigint)
  RETURNING id, user_id, recipient`;

const DELIVERIES = `
  INSERT INTO deliveries (tenant_id, notification_id, recipient, critical, channel, address, due_at, due_since, created_at)
  SELECT $1, n.id, n.recipient, false, $3,
         (SELECT email FROM users u WHERE u.tenant_id = $1 AND u.id = n.user_id), $4, $4, $4
  FROM jsonb_to_recordset($2) AS n (id uuid, user_id uuid, recipient text)
  RETURNING notification_id AS id, id AS delivery_id`;

@Module({ controllers: [BareController] })
class BareModule {}

const app = await NestFactory.create<NestFastifyApplication>(BareModule, new FastifyAdapter(), {
  logger: false,
});
await app.listen(0, '127.0.0.1');
serve(await app.getUrl(), () => Promise.resolve({}));
