import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty } from '@nestjs/swagger';
import { Access } from '../../platform/http/caller.js';
import { Health } from './health.service.js';

export class HealthAnswer {
  @ApiProperty({ enum: ['ok'] })
  status: 'ok';
}

/** For load balancers and supervisors. */
@Controller()
export class HealthController {
  constructor(private readonly health: Health) {}

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
  @ApiOkResponse({ type: HealthAnswer })
  async ready(): Promise<HealthAnswer> {
    await this.health.assertReady();
    return { status: 'ok' };
  }
}
