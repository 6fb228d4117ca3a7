import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty } from '@nestjs/swagger';
import { Access } from '../../platform/http/caller.js';
import { SCHEDULER_STATES, type SchedulerSight, SchedulerWatch } from '../../scheduler/scheduler-watch.js';
import { Health } from './health.service.js';

export class HealthAnswer {
  @ApiProperty({ enum: ['ok'] })
  status: 'ok';
}

export class ReadyAnswer extends HealthAnswer {
  @ApiProperty({
    enum: SCHEDULER_STATES,
    description:
      'silent: no process has polled for 95 s, so no job starts on its schedule; this process is ready nevertheless. off: SCHEDULER_ENABLED is false',
  })
  scheduler: SchedulerSight['state'];

  @ApiProperty({ type: Date, nullable: true, description: 'When a scheduler last polled; null: never' })
  last_poll_at: Date | null;
}

/** For load balancers and supervisors. */
@Controller()
export class HealthController {
  constructor(
    private readonly health: Health,
    private readonly watch: SchedulerWatch,
  ) {}

  @Get('livez')
  @Access('public')
  @ApiOperation({ summary: 'The process answers' })
  @ApiOkResponse({ type: HealthAnswer })
  live(): HealthAnswer {
    return { status: 'ok' };
  }

  @Get('readyz')
  @Access('public')
  @ApiOperation({ summary: 'PostgreSQL answers, Redis takes writes, and the process is not stopping' })
  @ApiOkResponse({ type: ReadyAnswer })
  async ready(): Promise<ReadyAnswer> {
    await this.health.assertReady();
    const { state, last_poll_at } = this.watch.current();
    return { status: 'ok', scheduler: state, last_poll_at };
  }
}
