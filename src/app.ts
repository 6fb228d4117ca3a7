import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ClsService } from 'nestjs-cls';
import { AppModule } from './app.module.js';
import { ConsoleSessions } from './auth/sessions/console-sessions.js';
import { setUpAsyncApi } from './asyncapi.js';
import { describeApi, setUpDocs } from './docs.js';
import { serveWeb } from './front-end/web-files.js';
import { recordOutcomes } from './platform/audit/outcomes.js';
import { serveBoard } from './ops/queues/queue-board.js';
import { type Clock, SystemClock } from './platform/clock/clock.js';
import type { Config } from './platform/config/config.js';
import { notFound } from './platform/errors/problem.js';
import { ProblemFilter } from './platform/errors/problem.filter.js';
import { logRequests, requestId } from './platform/http/requests/request-log.js';
import { traceRequests } from './platform/http/requests/request-traces.js';
import { measureRequests } from './platform/http/requests/request-metrics.js';
import { trustedProxies } from './platform/http/addresses.js';
import { BODY_LIMIT, takeBodies } from './platform/http/bodies.js';
import { answerHeaders, setAnswerHeaders } from './platform/http/answer-headers.js';
import { compressAnswers } from './platform/http/compression.js';
import { answerUnknownRoutes } from './platform/http/unknown-routes.js';
import { requireHost, unreadableRequests } from './platform/http/unreadable-requests.js';
import { UPLOAD_TIMEOUT_MS } from './platform/http/uploads/uploads.js';
import { HttpConnections } from './platform/http/http-connections.js';
import { admitWebOrigins, crossOriginHeaders } from './platform/http/web-origins.js';
import { validationPipe } from './platform/http/validation.js';
import { JsonLogger, logDestination } from './platform/logging/logger.js';
import { Queues } from './platform/queues/queues.js';
import { SocketAdapter } from './realtime/socket-adapter.js';
import { HtmlPages } from './wording/pages/html-pages.js';

/**
 * Builds the application of one process without listening yet. The database must be migrated and Redis reachable.
 * @throws Error when a required service does not answer.
 */
export async function createApp(
  config: Config,
  clock: Clock = new SystemClock(),
  logger: LoggerService = new JsonLogger(config.logLevel, logDestination(config.logFormat)),
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
    genReqId: requestId,
    trustProxy: config.trustProxy === null ? false : trustedProxies(config.trustProxy),
    requestTimeout: UPLOAD_TIMEOUT_MS,
    ...unreadableRequests(answerHeaders(config), (request) => crossOriginHeaders(request, config)),
    routerOptions: { maxParamLength: 200 },
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(config, clock), adapter, {
    logger,
    abortOnError: false,
    bodyParser: false,
  });
  app.setGlobalPrefix('api/v1', {
    exclude: [
      'livez',
      'readyz',
      'metrics',
      'password',
      'alerts/act/:token',
      'hooks/:provider/:token',
      'unsubscribe/:token',
      'ops/login',
      'ops/logout',
      'docs',
      'openapi.json',
    ],
  });
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(new ProblemFilter());
  app.useWebSocketAdapter(new SocketAdapter(app, config));
  await compressAnswers(app);
  carryRequestId(app);
  traceRequests(app);
  setAnswerHeaders(app, config);
  admitWebOrigins(app, config);
  requireHost(app);
  answerUnknownRoutes(app);
  endConnectionsAtStop(app);
  measureRequests(app);
  logRequests(app, config);
  recordOutcomes(app);
  takeBodies(app);
  if (config.roles.includes('web')) {
    serveBoard(
      app.getHttpAdapter().getInstance(),
      app.get(Queues),
      app.get(ConsoleSessions, { strict: false }),
      app.get(HtmlPages, { strict: false }),
    );
    serveWeb(app);
  } else {
    answerOpsOnly(app);
  }
  setUpDocs(app);
  if (config.roles.includes('web')) setUpAsyncApi(app, () => describeApi(app));
  return app;
}

/** Puts the request's id into every answer and every log line. */
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

/** While the process stops, the next answer to clients with a busy connection has `Connection: close`. */
function endConnectionsAtStop(app: NestFastifyApplication): void {
  const connections = app.get(HttpConnections);
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onSend', (_request, reply, payload, done) => {
      if (connections.areEnding) reply.header('connection', 'close');
      done(null, payload);
    });
}

/** Processes without the web role only answer health checks and metrics. */
function answerOpsOnly(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, _reply, done) => {
      done(OPS.includes(request.routeOptions.url ?? '') ? undefined : notFound());
    });
}

const OPS = ['/livez', '/readyz', '/metrics'];
