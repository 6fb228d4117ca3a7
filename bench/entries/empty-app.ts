import 'reflect-metadata';
import '@css-inline/css-inline';
import '@fastify/compress';
import '@node-rs/argon2';
import 'handlebars';
import 'jose';
import 'libphonenumber-js/max';
import 'luxon';
import 'nodemailer';
import 'pino';
import 'prom-client';
import 'rate-limiter-flexible';
import 'sanitize-html';
import 'standardwebhooks';
import 'web-push';
import 'yaml';
import { createBullBoard } from '@bull-board/api';
import { BullAdapter } from '@bull-board/api/bullAdapter';
import { FastifyAdapter as BoardAdapter } from '@bull-board/fastify';
import { BullModule, getQueueToken } from '@nestjs/bull';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { ScheduleModule } from '@nestjs/schedule';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { Queue } from 'bull';
import { ClsModule } from 'nestjs-cls';
import { QUEUES } from '#vigie/contracts/jobs.js';
import { serve } from '../support/entry.js';

const { DATABASE_APP_URL = '', DATABASE_SYSTEM_URL = '', REDIS_URL = '' } = process.env;

const pool = (name: string, url: string) => TypeOrmModule.forRoot({ type: 'postgres', name, url });

/** The reference: the packages of Vigie, its pools and queues, and nothing of its own. */
@Module({
  imports: [
    ClsModule.forRoot({ global: true, middleware: { mount: false } }),
    ScheduleModule.forRoot(),
    pool('app', DATABASE_APP_URL),
    pool('system', DATABASE_SYSTEM_URL),
    BullModule.registerQueue(...QUEUES.map((name) => ({ name, url: REDIS_URL, prefix: 'empty' }))),
  ],
})
class EmptyModule {}

const app = await NestFactory.create<NestFastifyApplication>(EmptyModule, new FastifyAdapter(), {
  logger: false,
});
app.useWebSocketAdapter(new IoAdapter(app));
const board = new BoardAdapter();
const queues = QUEUES.map((name) => app.get<Queue>(getQueueToken(name)));
createBullBoard({ queues: queues.map((queue) => new BullAdapter(queue)), serverAdapter: board });
await app.register(board.registerPlugin(), { prefix: '/queues' });
SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, new DocumentBuilder().build()));
await app.listen(0, '127.0.0.1');
serve(await app.getUrl(), () => Promise.resolve({}));
