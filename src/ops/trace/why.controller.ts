import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Access, AdminOrOperator, type AnyCaller } from '../../platform/http/caller.js';
import { AdminTenant } from '../admin-tenant.js';
import { Why, WhyQuery } from './why.dto.js';
import { Whys } from './why.service.js';

/** Why somebody was notified of something, or not. */
@Controller('admin')
export class WhyController {
  constructor(
    private readonly tenants: AdminTenant,
    private readonly whys: Whys,
  ) {}

  @Get('why')
  @Access('admin_or_operator', 'admin')
  @ApiOperation({
    summary: 'Why somebody got a notification, or did not',
    description:
      'Name the recipient by `user` or by `address`, and what it is about by `fact`. Each step names what decided, with ' +
      'the page of the console where it can be changed. Nothing is sent or changed.',
  })
  @ApiOkResponse({ type: Why })
  async why(@AdminOrOperator() caller: AnyCaller, @Query() { tenant, ...query }: WhyQuery): Promise<Why> {
    const tenantId = await this.tenants.of(caller, tenant);
    return this.whys.explain(tenantId, query, { user_id: caller.kind === 'user' ? caller.user_id : null });
  }
}
