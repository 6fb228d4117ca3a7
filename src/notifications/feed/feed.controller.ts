import { Body, Controller, Get, HttpCode, Post, Put, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, Caller, CallerUserId, type TenantCaller } from '../../platform/http/caller.js';
import type { NotificationView, UnreadCount } from '../../contracts/socket-messages.js';
import { Database } from '../../platform/database/database.js';
import { ApiPage } from '../../platform/http/api-page.js';
import type { Page } from '../../platform/http/cursor.js';
import { IdParam } from '../../platform/http/id-param.js';
import { Creating, type CreatingRequest, Idempotency } from '../../platform/http/idempotency.js';
import {
  FeedNotification,
  FeedNotificationDetail,
  FeedQuery,
  InboxCount,
  ReadAllQuery,
  SeenCursor,
  TestEmail,
  UpdatedCount,
} from './feed.dto.js';
import { Feed } from './feed.service.js';
import { InboxCounts } from './inbox-counts.js';
import { TestEmails } from '../messages/test-email.js';

/** A user's own feed. */
@ApiTags('notifications')
@Controller('notifications')
export class FeedController {
  constructor(
    private readonly feed: Feed,
    private readonly counts: InboxCounts,
    private readonly testEmails: TestEmails,
    private readonly database: Database,
    private readonly idempotency: Idempotency,
  ) {}

  @Get()
  @Access('self')
  @ApiOperation({ summary: 'My feed, newest first' })
  @ApiPage(FeedNotification)
  async list(
    @Caller() caller: TenantCaller,
    @CallerUserId() userId: string,
    @Query() query: FeedQuery,
  ): Promise<Page<NotificationView>> {
    return this.feed.list(this.database.single(caller.tenant_id), userId, query);
  }

  @Get('unread-count')
  @Access('self')
  @ApiOperation({ summary: 'How many of my notifications I have not read, and not seen' })
  @ApiOkResponse({ type: InboxCount })
  async unreadCount(@Caller() caller: TenantCaller, @CallerUserId() userId: string): Promise<UnreadCount> {
    return this.counts.of(this.database.single(caller.tenant_id), userId);
  }

  @Put('seen')
  @Access('self')
  @ApiOperation({
    summary: 'I have seen everything up to this notification',
    description:
      'What a bell does when it is opened: nothing is marked as read. An older cursor changes nothing; the cursor of ' +
      "somebody else's notification is refused.",
  })
  @ApiOkResponse({ type: InboxCount })
  async seen(
    @Caller() caller: TenantCaller,
    @CallerUserId() userId: string,
    @Body() { cursor }: SeenCursor,
  ): Promise<UnreadCount> {
    return this.database.tenant(caller.tenant_id, (tx) => this.counts.markSeen(tx, userId, cursor));
  }

  @Put('read-all')
  @Access('self')
  @ApiOperation({ summary: 'Mark all my notifications, or those that match, as read' })
  @ApiOkResponse({ type: UpdatedCount })
  async readAll(
    @Caller() caller: TenantCaller,
    @CallerUserId() userId: string,
    @Query() which: ReadAllQuery,
  ): Promise<UpdatedCount> {
    const updated = await this.database.tenant(caller.tenant_id, (tx) =>
      this.feed.markAllRead(tx, userId, which),
    );
    return { updated };
  }

  @Post('test-email')
  @Access('self')
  @HttpCode(202)
  @ApiOperation({ summary: 'Send a test message to my own address; at most five a minute' })
  @ApiAcceptedResponse({ type: TestEmail })
  async testEmail(
    @Caller() caller: TenantCaller,
    @CallerUserId() userId: string,
    @Creating() request: CreatingRequest,
  ): Promise<TestEmail> {
    return this.idempotency.create(caller, request, (tx) => this.testEmails.create(tx, userId));
  }

  @Get(':id')
  @Access('member', 'notifications:read')
  @ApiOperation({
    summary: 'A notification that I received or created, with its deliveries',
    description: 'Only the recipient sees whether it was read or archived.',
  })
  @ApiOkResponse({ type: FeedNotificationDetail })
  async get(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<FeedNotificationDetail> {
    return this.database.tenant(caller.tenant_id, (tx) => this.feed.get(tx, caller, id));
  }

  @Put(':id/read')
  @Access('self')
  @ApiOperation({ summary: 'Mark as read' })
  @ApiOkResponse({ type: FeedNotification })
  async read(
    @Caller() caller: TenantCaller,
    @CallerUserId() userId: string,
    @IdParam() id: string,
  ): Promise<NotificationView> {
    return this.database.tenant(caller.tenant_id, (tx) => this.feed.mark(tx, userId, id, 'read'));
  }

  @Put(':id/unread')
  @Access('self')
  @ApiOperation({ summary: 'Mark as unread' })
  @ApiOkResponse({ type: FeedNotification })
  async unread(
    @Caller() caller: TenantCaller,
    @CallerUserId() userId: string,
    @IdParam() id: string,
  ): Promise<NotificationView> {
    return this.database.tenant(caller.tenant_id, (tx) => this.feed.mark(tx, userId, id, 'unread'));
  }

  @Put(':id/archive')
  @Access('self')
  @ApiOperation({ summary: 'Archive: remove from the feed and the unread count' })
  @ApiOkResponse({ type: FeedNotification })
  async archive(
    @Caller() caller: TenantCaller,
    @CallerUserId() userId: string,
    @IdParam() id: string,
  ): Promise<NotificationView> {
    return this.database.tenant(caller.tenant_id, (tx) => this.feed.mark(tx, userId, id, 'archive'));
  }
}
