import { randomUUID } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ClsService } from 'nestjs-cls';
import { AppModule } from './app.module.js';
import { setUpDocs } from './docs.js';
import { type Clock, SystemClock } from './platform/clock/clock.js';
import type { Config } from './platform/config/config.js';
import { notFound } from './platform/errors/problem.js';
import { ProblemFilter } from './platform/errors/problem.filter.js';
import { refuseDeepBodies } from './platform/http/json-depth.js';
import { validationPipe } from './platform/http/validation.js';
import { JsonLogger } from './platform/logging/logger.js';
import { checkRedis } from './platform/queues/queues.module.js';
import { SocketAdapter } from './realtime/socket-adapter.js';

/** A request body's limit, in bytes. */
const BODY_LIMIT = 1_048_576;

/**
 * Builds the application of one process; it does not listen yet. The database is migrated and Redis reachable
 * by now.
 * @throws Error when a service that it needs does not answer.
 */
export async function createApp(
  config: Config,
  clock: Clock = new SystemClock(),
): Promise<NestFastifyApplication> {
  await checkRedis(config);
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
    genReqId: () => randomUUID(),
    requestTimeout: 60_000,
    routerOptions: { maxParamLength: 200 },
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(config, clock), adapter, {
    logger: new JsonLogger(config.logLevel),
    abortOnError: false,
  });
  app.setGlobalPrefix('api/v1', { exclude: ['livez', 'readyz', 'password', 'docs', 'openapi.json'] });
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(new ProblemFilter());
  app.useWebSocketAdapter(new SocketAdapter(app, config));
  carryRequestId(app);
  refuseDeepBodies(app);
  letGoOfConnections(app);
  if (!config.roles.includes('web')) answerHealthOnly(app);
  setUpDocs(app);
  return app;
}

/** Every answer names its request, and every log line under it does too. */
function carryRequestId(app: NestFastifyApplication): void {
  const cls = app.get(ClsService);
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, reply, done) => {
      reply.header('x-request-id', request.id);
      cls.run(() => {
        cls.set('request_id', request.id);
        done();
      });
    });
}

/**
 * While the server closes, an answer ends its connection too: one that its client keeps open would be waited for
 * longer than a stopping process has.
 */
function letGoOfConnections(app: NestFastifyApplication): void {
  const server = app.getHttpAdapter().getInstance();
  let listened = false;
  server.addHook('onListen', (done) => {
    listened = true;
    done();
  });
  server.addHook('onSend', (_request, reply, _payload, done) => {
    if (listened && !server.server.listening) reply.header('connection', 'close');
    done();
  });
}

/** Processes without the web role are asked whether they live, and nothing else. */
function answerHealthOnly(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, _reply, done) => {
      done(HEALTH.includes(request.routeOptions.url ?? '') ? undefined : notFound());
    });
}

const HEALTH = ['/livez', '/readyz'];
