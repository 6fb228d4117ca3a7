import { Body, Controller, Get, HttpCode, HttpStatus, Post, Query, Req } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { AuditLog } from '../../../platform/audit/audit-log.js';
import { noteTargets } from '../../../platform/audit/changed-fields.js';
import type { AuditedRequest } from '../../../platform/audit/outcomes.js';
import { invalid } from '../../../platform/errors/problem.js';
import { Access, AdminOrOperator, type AnyCaller, type TenantCaller } from '../../../platform/http/caller.js';
import { IdParam } from '../../../platform/http/id-param.js';
import { TenantQuery } from '../../admin.dto.js';
import { AdminTenant } from '../../admin-tenant.js';
import { actingAdmin } from './acting-admin.js';
import { ErasureList, ErasureRequest, ErasureView } from './erasure.dto.js';
import { Erasures, type ErasureTarget } from './erasures.service.js';

/** Erasures of people. */
@Controller('admin/privacy')
@Access('admin_or_operator', 'admin')
export class ErasureController {
  constructor(
    private readonly tenants: AdminTenant,
    private readonly erasures: Erasures,
    private readonly audit: AuditLog,
  ) {}

  @Post('erase')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiOperation({
    summary: 'Erase a person',
    description:
      'A user loses the account at once. What names the person elsewhere is erased in the background, archives ' +
      'included: `GET admin/privacy/erasures/{id}` shows the progress. A repetition gets the same answer.',
  })
  @ApiAcceptedResponse({ type: ErasureView })
  async erase(
    @AdminOrOperator() caller: AnyCaller,
    @Query() { tenant }: TenantQuery,
    @Body() body: ErasureRequest,
    @Req() { written }: AuditedRequest,
  ): Promise<ErasureView> {
    const tenantId = await this.tenants.of(caller, tenant);
    const target = targetOf(body);
    const whom = await this.erasures.auditedTarget(tenantId, target);
    // Before the act, which cannot be undone, so that the log has it even if the act fails or the process is killed.
    if (written !== undefined) await this.audit.addTargets(written, whom);
    const erasure = await this.erasures.begin(inTenant(caller, tenantId), target);
    noteTargets({ erasure: erasure.id });
    return erasure;
  }

  @Get('erasures')
  @ApiOperation({ summary: 'The newest erasures, and how far they are' })
  @ApiOkResponse({ type: ErasureList })
  async list(@AdminOrOperator() caller: AnyCaller, @Query() { tenant }: TenantQuery): Promise<ErasureList> {
    return { data: await this.erasures.list(await this.tenants.of(caller, tenant)) };
  }

  @Get('erasures/:id')
  @ApiOperation({ summary: 'An erasure, and how far it is' })
  @ApiOkResponse({ type: ErasureView })
  async get(
    @AdminOrOperator() caller: AnyCaller,
    @IdParam() id: string,
    @Query() { tenant }: TenantQuery,
  ): Promise<ErasureView> {
    return this.erasures.read(await this.tenants.of(caller, tenant), id);
  }
}

function targetOf({ user_id, address }: ErasureRequest): ErasureTarget {
  if (user_id != null && address == null) return { user_id: user_id.toLowerCase() };
  if (user_id == null && address != null) return { address };
  throw invalid('/user_id', 'name either user_id or address');
}

/** An operator acts with the rights of an admin. */
function inTenant(caller: AnyCaller, tenantId: string): TenantCaller {
  return caller.kind === 'operator' ? actingAdmin(tenantId, caller.principal) : caller;
}
