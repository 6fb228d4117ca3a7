import { setFlagsFromString } from 'node:v8';
import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from './app.js';
import { FirstRun } from './auth/first-run.js';
import { type Config, ConfigurationError, readConfig } from './platform/config/config.js';
import { withEnvFile } from './platform/config/env-file.js';
import { DatabaseNotPrepared } from './platform/database/preparation.js';
import type { Embedded } from './platform/embedded/embedded.js';
import { JsonLogger, logDestination } from './platform/logging/logger.js';
import { BackgroundWork } from './platform/queues/background-work.js';
import { withEmbedded } from './platform/start/embedded-config.js';
import { startNotices } from './platform/start/notices.js';
import { StartError } from './platform/start/start-error.js';
import { releaseStartMemory } from './platform/start/start-memory.js';
import { startStep } from './platform/start/start-step.js';
import {
  APPLICATION_STEP,
  DEADLINES,
  EMBEDDED_STEP,
  listenStep,
  prepareSchema,
  reachPools,
  reachDatabase,
  reachRedis,
  WORK_STEP,
} from './platform/start/steps.js';
import { VERSION } from './platform/version.js';

/**
 * How much V8 lets a worker's heap grow before it collects garbage, in percent. Its default is up to 300: data that
 * waits for PostgreSQL or a mail server outlives the young generation, and a worker kept 80 MB of it. Measured by P1.
 */
const WORKER_HEAP_GROWTH = 60;
/** A stopping process exits after this long, even if work is still running. */
const STOP_DEADLINE_MS = 20_000;

/** npm passes on a Ctrl-C that this process already got from the terminal: ignore the second one. */
const ECHO_MS = 500;

/** What a stop has to end. */
interface Started {
  app: NestFastifyApplication | null;
  embedded: Embedded | null;
  /** A signal ends the process. */
  stopping: boolean;
}

/** The application first: what has begun to work ends before PostgreSQL and Redis do. */
async function stop({ app, embedded }: Started): Promise<void> {
  // Also where the application fails to close.
  await (app?.close() ?? Promise.resolve()).finally(() => embedded?.stop());
}

/**
 * Drains on the first SIGTERM or SIGINT and ends with 0; with 1 where there is no application yet, when that takes too
 * long, or on a second Ctrl-C.
 */
function stopOnSignal(started: Started, log: JsonLogger): void {
  let stoppingSince: number | null = null;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stoppingSince !== null) {
      if (signal === 'SIGINT' && performance.now() - stoppingSince > ECHO_MS) process.exit(1);
      return;
    }
    stoppingSince = performance.now();
    started.stopping = true;
    log.log({ event: 'stopping', signal }, 'Vigie');
    const fail = (error: unknown) => {
      log.error({ event: 'stop_failed', err: error }, 'Vigie');
      process.exit(1);
    };
    setTimeout(
      () => fail(new Error(`the process did not stop within ${STOP_DEADLINE_MS / 1_000} s`)),
      STOP_DEADLINE_MS,
    ).unref();
    const code = started.app === null ? 1 : 0;
    stop(started).then(() => process.exit(code), fail);
  };
  process.on('SIGTERM', onSignal);
  // The parent that started this process with an IPC channel (the demo does) has exited: stop too.
  process.once('disconnect', () => onSignal('SIGTERM'));
  process.on('SIGINT', onSignal);
  // It exited before this process came here: there is no event any more.
  if (process.argv.includes('--demo') && !process.connected) onSignal('SIGTERM');
}

let log = new JsonLogger('info', logDestination('auto'));

async function main(): Promise<void> {
  const environment = withEnvFile(process.env);
  const written = readConfig(environment);
  log = new JsonLogger(written.logLevel, logDestination(written.logFormat));
  // Until the application exists, Nest would log in its own format.
  Logger.overrideLogger(log);
  const started: Started = { app: null, embedded: null, stopping: false };
  stopOnSignal(started, log);
  if (written.roles.includes('worker')) setFlagsFromString(`--heap-growing-percent=${WORKER_HEAP_GROWTH}`);
  const line = (text: string) => log.log(text, 'Embedded');
  const ofDemo = process.argv.includes('--demo');
  const [config, embedded] = await startStep(EMBEDDED_STEP, DEADLINES.embedded, () =>
    withEmbedded(written, ofDemo, line),
  );
  started.embedded = embedded;
  try {
    const app = await serve(config, started);
    const token = await app.get(FirstRun, { strict: false }).token();
    for (const notice of startNotices(config, token, Object.keys(environment))) log.warn(notice, 'Vigie');
  } catch (error) {
    // What the start lacks then, the stop has taken from it.
    if (started.stopping) await new Promise(() => undefined);
    // The error is what people need, also where the stop fails or never ends.
    setTimeout(() => fail(error), STOP_DEADLINE_MS).unref();
    await stop(started).catch(() => undefined);
    throw error;
  }
}

/** Starts the application on services that run. */
async function serve(config: Config, started: Started): Promise<NestFastifyApplication> {
  await reachDatabase(config);
  const migrations = await prepareSchema(config, (line) => log.log(line, 'Database'));
  if (migrations.length > 0) log.log({ event: 'migrated', migrations }, 'Database');
  await reachPools(config);
  await reachRedis(config);
  const app = await startStep(APPLICATION_STEP, DEADLINES.application, async () => {
    started.app = await createApp(config);
    return started.app.init();
  });
  // Before it has anything to do.
  await releaseStartMemory();
  await startStep(listenStep(config), DEADLINES.listen, () => app.listen(config.port, config.host));
  await startStep(WORK_STEP, DEADLINES.work, () => app.get(BackgroundWork).begin());
  const url = await app.getUrl();
  const docs = config.roles.includes('web') ? { docs: `${url}/docs` } : {};
  log.log({ event: 'started', url, ...docs, version: VERSION, roles: config.roles }, 'Vigie');
  return app;
}

/** A process that failed to start must exit in order to be restarted: reconnecting connections would keep it alive. */
function fail(error: unknown): never {
  if (error instanceof ConfigurationError || error instanceof DatabaseNotPrepared)
    process.stderr.write(`${error.message}\n`);
  else if (error instanceof StartError) log.error(error.fields(), 'Vigie');
  else log.error({ event: 'start_failed', err: error }, 'Vigie');
  process.exit(1);
}

// If a promise never settles and nothing stays open, the process would exit with 0 and without a log line.
const failUnfinishedStart = () => fail(new Error('the start never ended'));
process.once('beforeExit', failUnfinishedStart);
main().then(() => process.off('beforeExit', failUnfinishedStart), fail);
