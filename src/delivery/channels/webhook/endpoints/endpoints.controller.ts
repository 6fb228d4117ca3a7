import { Body, Controller, Delete, Get, Header, HttpCode, Patch, Post, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { ApiPage } from '../../../../platform/http/api-page.js';
import { Access, Caller, type TenantCaller } from '../../../../platform/http/caller.js';
import type { Page } from '../../../../platform/http/cursor.js';
import { IdParam } from '../../../../platform/http/id-param.js';
import { PageQuery } from '../../../../platform/http/page.dto.js';
import { EndpointTests } from './endpoint-tests.js';
import {
  AttemptView,
  EndpointPatch,
  EndpointView,
  EndpointWithSecret,
  NewEndpoint,
  Replay,
  ReplayView,
  TestView,
} from './endpoints.dto.js';
import { Endpoints } from './endpoints.service.js';

@ApiTags('tenant')
@Controller('tenant/webhooks')
export class EndpointsController {
  constructor(
    private readonly endpoints: Endpoints,
    private readonly tests: EndpointTests,
  ) {}

  // No idempotency key: the response holds a secret, which must not be stored.
  @Post()
  @Header('cache-control', 'no-store')
  @Access('admin', 'admin')
  @ApiOperation({
    summary: 'Add a webhook endpoint',
    description:
      'From now on it receives each alert, event and backup notice once. docs/webhooks.md has the format.',
  })
  @ApiCreatedResponse({ type: EndpointWithSecret, description: 'Only this answer contains the secret' })
  create(@Caller() { tenant_id }: TenantCaller, @Body() body: NewEndpoint): Promise<EndpointWithSecret> {
    return this.endpoints.create(tenant_id, body);
  }

  @Get()
  @Access('admin', 'admin')
  @ApiPage(EndpointView)
  list(@Caller() { tenant_id }: TenantCaller, @Query() query: PageQuery): Promise<Page<EndpointView>> {
    return this.endpoints.list(tenant_id, query);
  }

  @Get(':id')
  @Access('admin', 'admin')
  @ApiOkResponse({ type: EndpointView })
  get(@Caller() { tenant_id }: TenantCaller, @IdParam() id: string): Promise<EndpointView> {
    return this.endpoints.get(tenant_id, id);
  }

  @Patch(':id')
  @Access('admin', 'admin')
  @ApiOkResponse({ type: EndpointView })
  update(
    @Caller() { tenant_id }: TenantCaller,
    @IdParam() id: string,
    @Body() patch: EndpointPatch,
  ): Promise<EndpointView> {
    return this.endpoints.update(tenant_id, id, patch);
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('admin', 'admin')
  @ApiNoContentResponse({ description: 'It is deleted with its attempts; waiting calls are not made' })
  remove(@Caller() { tenant_id }: TenantCaller, @IdParam() id: string): Promise<void> {
    return this.endpoints.remove(tenant_id, id);
  }

  // No idempotency key: each call is another rotation, and ends the secret before the last.
  @Post(':id/rotate')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @Access('admin', 'admin')
  @ApiOperation({
    summary: 'Give the endpoint a new secret',
    description: 'For 24 h each call is also signed with the old secret.',
  })
  @ApiOkResponse({ type: EndpointWithSecret, description: 'Only this answer contains the new secret' })
  rotate(@Caller() { tenant_id }: TenantCaller, @IdParam() id: string): Promise<EndpointWithSecret> {
    return this.endpoints.rotate(tenant_id, id);
  }

  @Post(':id/test')
  @HttpCode(200)
  @Access('admin', 'admin')
  @ApiOperation({
    summary: 'Call the endpoint now, and show what it answers',
    description: 'Sends the event `test`, even to a disabled endpoint. A failure does not count against it.',
  })
  @ApiOkResponse({ type: TestView })
  test(@Caller() { tenant_id }: TenantCaller, @IdParam() id: string): Promise<TestView> {
    return this.tests.run(tenant_id, id);
  }

  @Get(':id/attempts')
  @Access('admin', 'admin')
  @ApiOperation({ summary: 'The calls of the last 30 days, newest first' })
  @ApiPage(AttemptView)
  attempts(
    @Caller() { tenant_id }: TenantCaller,
    @IdParam() id: string,
    @Query() query: PageQuery,
  ): Promise<Page<AttemptView>> {
    return this.endpoints.attempts(tenant_id, id, query);
  }

  @Post(':id/replay')
  @HttpCode(200)
  @Access('admin', 'admin')
  @ApiOperation({
    summary: 'Re-send what was not delivered',
    description:
      'Failed calls, and those that it missed while it was disabled. Delivered calls are not repeated.',
  })
  @ApiOkResponse({ type: ReplayView })
  replay(
    @Caller() { tenant_id }: TenantCaller,
    @IdParam() id: string,
    @Body() { since }: Replay,
  ): Promise<ReplayView> {
    return this.endpoints.replay(tenant_id, id, since == null ? null : new Date(since));
  }
}
