import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import pg from 'pg';
import { serve } from '../support/entry.js';

const { DATABASE_URL, TENANT_ID, USER_ID, FEED_LIMIT } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });

/** The reference: each handler runs one query and returns its result. */
@Controller('bare')
class BareController {
  @Get('unread-count')
  async unreadCount(): Promise<object> {
    const { rows } = await pool.query<{ unread_count: number }>(
      `SELECT count(*)::integer AS unread_count FROM notifications
       WHERE tenant_id = $1 AND user_id = $2 AND read_at IS NULL AND archived_at IS NULL`,
      [TENANT_ID, USER_ID],
    );
    return rows[0] ?? {};
  }

  @Get('feed')
  async feed(): Promise<object> {
    const { rows } = await pool.query(
      `SELECT id, kind, severity, data, audience, created_at, read_at, archived_at, seq FROM notifications
       WHERE tenant_id = $1 AND user_id = $2 AND archived_at IS NULL
       ORDER BY created_at DESC, id DESC LIMIT $3`,
      [TENANT_ID, USER_ID, Number(FEED_LIMIT)],
    );
    return { data: rows, next_cursor: null };
  }
}

@Module({ controllers: [BareController] })
class BareModule {}

const app = await NestFactory.create<NestFastifyApplication>(BareModule, new FastifyAdapter(), {
  logger: false,
});
await app.listen(0, '127.0.0.1');
serve(await app.getUrl(), () => Promise.resolve({}));
