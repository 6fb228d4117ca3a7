import {
  type INestApplicationContext,
  Module,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { ClsModule } from 'nestjs-cls';
import pg from 'pg';
import { createDatabase, environmentFor } from '../../test/support/database.js';
import { testLogger } from '../../test/support/test-logger.js';
import { CHANNELS } from '../contracts/channels.js';
import { CHANNEL_TRAITS } from '../delivery/channels/channels.js';
import { type RunCounts, SCHEDULED_JOBS } from '../contracts/jobs.js';
import { ClockModule } from '../platform/clock/clock.module.js';
import { FixedClock } from '../platform/clock/fixed-clock.js';
import { readConfig } from '../platform/config/config.js';
import { ConfigModule } from '../platform/config/config.module.js';
import { DatabaseModule } from '../platform/database/database.module.js';
import { BackgroundWork } from '../platform/queues/background-work.js';
import { JobHandlers } from '../platform/queues/handlers.js';
import { Queues } from '../platform/queues/queues.js';
import { QueuesModule } from '../platform/queues/queues.module.js';
import { Workers } from '../platform/queues/workers.js';
import { type Run, RunHandlers } from '../runs/run-handlers.js';
import { RunsModule } from '../runs/runs.module.js';
import { SchedulerModule } from './scheduler.module.js';
import { SchedulerPoller } from './scheduler.poller.js';
import { Scheduler } from './scheduler.service.js';

/** One process of an installation, with only the scheduler's modules. */
export interface Replica {
  app: INestApplicationContext;
  scheduler: Scheduler;
  poller: SchedulerPoller;
  queues: Queues;
  close(): Promise<void>;
}

export interface RunRow {
  id: string;
  tenant_id: string;
  job: string;
  slot: string | null;
  state: string;
  attempts: number;
  due_at: Date;
  lease_token: string | null;
  counts: RunCounts | null;
  error: string | null;
}

/** An installation with jobs that the test defines. */
export interface Installation {
  clock: FixedClock;
  /** The runs that workers started, in order. */
  begun: Run[];
  /** The work of a run; tests may replace it. */
  work: (run: Run) => Promise<RunCounts>;
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Another process on the same database and Redis. Its clock is the installation's unless it has its own. */
  replica(options?: { env?: Record<string, string>; clock?: FixedClock }): Promise<Replica>;
  tenant(options?: {
    time_zone?: string;
    schedule_from?: string;
    settings?: object;
    suspended_at?: string;
  }): Promise<string>;
  /** The ledger, by due time and job. */
  runs(): Promise<RunRow[]>;
  /** Expires the leases of all runs. */
  expireLeases(): Promise<void>;
  close(): Promise<void>;
}

/** Long ago, so that every slot is due. */
const LONG_AGO = '2020-01-01T00:00:00Z';

export async function createInstallation(now: string): Promise<Installation> {
  const database = await createDatabase();
  const environment = environmentFor(database);
  const owner = new pg.Pool({ connectionString: database.owner_url, max: 3 });
  owner.on('error', () => undefined);
  const replicas: Replica[] = [];
  let tenants = 0;
  const sql: Installation['sql'] = async (text, values) => (await owner.query(text, values)).rows as never;
  const installation: Installation = {
    clock: new FixedClock(now),
    begun: [],
    work: () => Promise.resolve({}),
    sql,
    replica: async ({ env = {}, clock = installation.clock } = {}) => {
      const replica = await startReplica(installation, { ...environment, VIGIE_ROLES: 'web', ...env }, clock);
      replicas.push(replica);
      return replica;
    },
    tenant: async ({
      time_zone = 'Europe/Paris',
      schedule_from = LONG_AGO,
      settings = {},
      suspended_at,
    } = {}) => {
      tenants += 1;
      const [row] = await sql<{ id: string }>(
        `INSERT INTO tenants (slug, name, kind, time_zone, locale, settings, schedule_from, suspended_at)
         VALUES ($1, $1, 'cabinet', $2, 'fr', $3, $4, $5) RETURNING id`,
        [`tenant-${tenants}`, time_zone, settings, schedule_from, suspended_at],
      );
      if (row === undefined) throw new Error('the tenant was not added');
      return row.id;
    },
    runs: () => sql<RunRow>('SELECT * FROM job_runs ORDER BY due_at, job, tenant_id'),
    expireLeases: async () => {
      await sql(
        `UPDATE job_runs SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL`,
      );
    },
    close: async () => {
      await Promise.all(replicas.map((replica) => replica.close()));
      await owner.end();
      await database.drop();
    },
  };
  return installation;
}

async function startReplica(
  installation: Installation,
  environment: Record<string, string>,
  clock: FixedClock,
): Promise<Replica> {
  const config = readConfig(environment);

  @Module({})
  class Jobs implements OnModuleInit {
    constructor(
      private readonly runs: RunHandlers,
      private readonly jobs: JobHandlers,
    ) {}

    onModuleInit(): void {
      for (const channel of CHANNELS)
        this.jobs.register(CHANNEL_TRAITS[channel].job, () => Promise.resolve());
      for (const job of SCHEDULED_JOBS) {
        this.runs.register(job, (run) => {
          installation.begun.push(run);
          return installation.work(run);
        });
      }
    }
  }

  @Module({
    imports: [
      ConfigModule.forRoot(config),
      ClockModule.forRoot(clock),
      ClsModule.forRoot({ global: true, middleware: { mount: false } }),
      ScheduleModule.forRoot(),
      DatabaseModule.forRoot(config),
      QueuesModule.forRoot(config),
      RunsModule,
      SchedulerModule,
      Jobs,
    ],
  })
  class Process implements OnModuleDestroy {
    constructor(private readonly workers: Workers) {}

    /** As AppModule does. */
    async onModuleDestroy(): Promise<void> {
      await this.workers.drain();
    }
  }

  const app = await NestFactory.createApplicationContext(Process, {
    logger: testLogger(config.logLevel),
    abortOnError: false,
  });
  await app.get(BackgroundWork).begin();
  let closed: Promise<void> | undefined;
  return {
    app,
    scheduler: app.get(Scheduler),
    poller: app.get(SchedulerPoller),
    queues: app.get(Queues),
    close: () => (closed ??= app.close()),
  };
}
