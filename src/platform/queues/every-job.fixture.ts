import { randomUUID } from 'node:crypto';
import { type BeforeApplicationShutdown, Injectable, type OnModuleInit } from '@nestjs/common';
import { createPlatform, type Platform } from '../../../test/support/platform.js';
import { JOBS, type JobName } from '../../contracts/jobs.js';
import { BackgroundWork } from './background-work.js';
import { JobHandlers } from './handlers.js';
import { QueuesModule } from './queues.module.js';
import { Workers } from './workers.js';

export interface Done {
  name: JobName;
  payload: unknown;
}

/** Handles every job of the catalog as the test says, and drains like the application. */
@Injectable()
export class EveryJob implements OnModuleInit, BeforeApplicationShutdown {
  readonly done: Done[] = [];
  work: (job: Done) => Promise<void> = () => Promise.resolve();

  constructor(
    private readonly handlers: JobHandlers,
    private readonly workers: Workers,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    await this.workers.drain();
  }

  onModuleInit(): void {
    for (const name of Object.keys(JOBS) as JobName[]) {
      this.handlers.register(name, async (payload: unknown) => {
        await this.work({ name, payload });
        this.done.push({ name, payload });
      });
    }
  }
}

/** The queues without the rooms, working. */
export async function startQueues(env: Record<string, string> = {}): Promise<Platform> {
  const platform = await createPlatform(
    (config) => ({ imports: [QueuesModule.forRoot(config)], providers: [EveryJob] }),
    env,
  );
  await platform.module.get(BackgroundWork).begin();
  return platform;
}

/** The payload of a run that does not exist. */
export const newRun = () => ({ tenant_id: randomUUID(), run_id: randomUUID(), lease_token: randomUUID() });
