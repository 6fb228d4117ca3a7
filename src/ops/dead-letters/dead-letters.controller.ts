import { Body, Controller, Get, HttpCode, HttpStatus, Inject, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import {
  type DeadLetterAct,
  type DeadLetterActName,
  DeadLetterActs,
} from '../../delivery/admin/dead-letter-acts.js';
import { DeliveryOutcomes } from '../../delivery/admin/delivery-outcomes.js';
import { Clock } from '../../platform/clock/clock.js';
import { invalid } from '../../platform/errors/problem.js';
import { Access, AdminOrOperator, type AnyCaller } from '../../platform/http/caller.js';
import { AdminTenant } from '../admin-tenant.js';
import { TenantQuery } from '../admin.dto.js';
import {
  DeadLetterActList,
  DeadLetterActView,
  DeadLettersChoice,
  DeadLettersDiscard,
  DeadLettersList,
  DeadLettersQuery,
} from './dead-letters.dto.js';

const DAY_MS = 24 * 60 * 60 * 1_000;
const MAX_DAYS = 30;

/** Lists, requeues or discards failed deliveries: one, many, or all with one cause. Operators act for all tenants. */
@Controller('admin/dead-letters')
@Access('admin_or_operator', 'admin')
export class DeadLettersController {
  constructor(
    private readonly acts: DeadLetterActs,
    private readonly outcomes: DeliveryOutcomes,
    private readonly tenants: AdminTenant,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Failed deliveries by cause',
    description: 'Of the own tenant; for operators of all, or of the one they name.',
  })
  @ApiOkResponse({ type: DeadLettersList })
  async list(
    @AdminOrOperator() caller: AnyCaller,
    @Query() { days, tenant }: DeadLettersQuery,
  ): Promise<DeadLettersList> {
    const since = this.daysAgo(days);
    return { since, data: await this.outcomes.deadLetters(since, await this.scopeOf(caller, tenant)) };
  }

  @Post('requeue')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiOperation({
    summary: 'Re-send failed deliveries',
    description:
      'They get all their attempts again. Moves at most 2,000 at once; `GET admin/dead-letters/acts` shows the ' +
      'progress of the others.',
  })
  @ApiAcceptedResponse({ type: DeadLetterActView })
  async requeue(
    @AdminOrOperator() caller: AnyCaller,
    @Query() { tenant }: TenantQuery,
    @Body() body: DeadLettersChoice,
  ): Promise<DeadLetterAct> {
    return this.begin(
      'requeue',
      body,
      { by: caller.principal, why: null },
      await this.scopeOf(caller, tenant),
    );
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
  async discard(
    @AdminOrOperator() caller: AnyCaller,
    @Query() { tenant }: TenantQuery,
    @Body() body: DeadLettersDiscard,
  ): Promise<DeadLetterAct> {
    return this.begin(
      'discard',
      body,
      { by: caller.principal, why: body.why },
      await this.scopeOf(caller, tenant),
    );
  }

  @Get('acts')
  @ApiOperation({ summary: 'The newest requeues and discards, and their progress' })
  @ApiOkResponse({ type: DeadLetterActList })
  async listActs(
    @AdminOrOperator() caller: AnyCaller,
    @Query() { tenant }: TenantQuery,
  ): Promise<DeadLetterActList> {
    return { data: await this.acts.list(await this.scopeOf(caller, tenant)) };
  }

  private begin(
    act: DeadLetterActName,
    { ids, channel, cause, reason, days = MAX_DAYS }: DeadLettersChoice,
    author: { by: string; why: string | null },
    tenantId: string | null,
  ): Promise<DeadLetterAct> {
    if (ids === undefined && channel === undefined) throw invalid('/channel', 'is required without ids');
    const choice = {
      tenant_id: tenantId,
      ids: ids ?? null,
      channel: channel ?? null,
      cause: cause ?? null,
      reason: reason ?? null,
      since: this.daysAgo(days),
    };
    return this.acts.begin(act, choice, author);
  }

  /** The tenant whose dead letters are meant; null: an operator means those of all. */
  private async scopeOf(caller: AnyCaller, tenant: string | undefined): Promise<string | null> {
    if (caller.kind === 'operator' && tenant === undefined) return null;
    return this.tenants.of(caller, tenant);
  }

  private daysAgo(days: number): Date {
    return new Date(this.clock.now().getTime() - days * DAY_MS);
  }
}
