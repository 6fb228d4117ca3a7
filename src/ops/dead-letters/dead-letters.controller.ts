import { Body, Controller, Get, HttpCode, HttpStatus, Inject, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import {
  type DeadLetterAct,
  type DeadLetterActName,
  DeadLetterActs,
} from '../../delivery/admin/dead-letter-acts.js';
import { Clock } from '../../platform/clock/clock.js';
import { invalid } from '../../platform/errors/problem.js';
import { Access, Operator, type OperatorCaller } from '../../platform/http/caller.js';
import { AdminTenant } from '../admin-tenant.js';
import {
  DeadLetterActList,
  DeadLetterActView,
  DeadLettersChoice,
  DeadLettersDiscard,
} from './dead-letters.dto.js';

const DAY_MS = 24 * 60 * 60 * 1_000;
const MAX_DAYS = 30;

/** Requeues or discards failed deliveries: one, many, or all with one cause. */
@Controller('admin/dead-letters')
@Access('operator')
export class DeadLettersController {
  constructor(
    private readonly acts: DeadLetterActs,
    private readonly tenants: AdminTenant,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  @Post('requeue')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiOperation({
    summary: 'Re-send failed deliveries',
    description:
      'They get all their attempts again. Moves at most 2,000 at once; `GET admin/dead-letters/acts` shows the ' +
      'progress of the others.',
  })
  @ApiAcceptedResponse({ type: DeadLetterActView })
  requeue(@Operator() caller: OperatorCaller, @Body() body: DeadLettersChoice): Promise<DeadLetterAct> {
    return this.begin('requeue', caller, body, null);
  }

  @Post('discard')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiOperation({
    summary: 'Give up failed deliveries',
    description:
      'They end as `cancelled` with the reason `discarded`; their history has `why`. ' +
      'Shows progress as `requeue` does.',
  })
  @ApiAcceptedResponse({ type: DeadLetterActView })
  discard(@Operator() caller: OperatorCaller, @Body() body: DeadLettersDiscard): Promise<DeadLetterAct> {
    return this.begin('discard', caller, body, body.why);
  }

  @Get('acts')
  @ApiOperation({ summary: 'The newest requeues and discards, and their progress' })
  @ApiOkResponse({ type: DeadLetterActList })
  async list(): Promise<DeadLetterActList> {
    return { data: await this.acts.list() };
  }

  private async begin(
    act: DeadLetterActName,
    caller: OperatorCaller,
    { ids, channel, cause, reason, tenant, days = MAX_DAYS }: DeadLettersChoice,
    why: string | null,
  ): Promise<DeadLetterAct> {
    if (ids === undefined && channel === undefined) throw invalid('/channel', 'is required without ids');
    const choice = {
      tenant_id: tenant === undefined ? null : await this.tenants.of(caller, tenant),
      ids: ids ?? null,
      channel: channel ?? null,
      cause: cause ?? null,
      reason: reason ?? null,
      since: new Date(this.clock.now().getTime() - days * DAY_MS),
    };
    return this.acts.begin(act, choice, { by: caller.principal, why });
  }
}
