import { Module } from '@nestjs/common';
import { SchedulerPoller } from './scheduler.poller.js';
import { Scheduler } from './scheduler.service.js';

/** Only *when*: which slot of which tenant is owed, and handing runs to the queues. */
@Module({ providers: [Scheduler, SchedulerPoller], exports: [Scheduler] })
export class SchedulerModule {}
