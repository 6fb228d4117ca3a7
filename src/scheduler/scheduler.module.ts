import { Module } from '@nestjs/common';
import { SchedulerWatch } from './scheduler-watch.js';
import { SchedulerPoller } from './scheduler.poller.js';
import { Scheduler } from './scheduler.service.js';

/** Decides only *when*: which slot of which tenant is due, and hands runs to the queues. */
@Module({ providers: [Scheduler, SchedulerPoller, SchedulerWatch], exports: [Scheduler, SchedulerWatch] })
export class SchedulerModule {}
