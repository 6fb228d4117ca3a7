import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { DeliveryModule } from '../delivery/delivery.module.js';
import { UsersModule } from '../users/users.module.js';
import { WordingModule } from '../wording/wording.module.js';
import { AlertList } from './alerts/alert-list.service.js';
import { AlertRecipients } from './alerts/alert-recipients.js';
import { AlertLinkService } from './alerts/alert-link.service.js';
import { AlertPageController } from './alerts/alert-page.controller.js';
import { AlertsController } from './alerts/alerts.controller.js';
import { Alerts } from './alerts/alerts.service.js';
import { AlertSilence } from './alerts/silence.js';
import { SnoozeEnds } from './alerts/snooze-ends.js';
import { ChannelFallbacks } from './channel-fallbacks.js';
import { CheckJobs } from './alerts/check.js';
import { DeliveriesController } from './deliveries/deliveries.controller.js';
import { DeliveryList } from './deliveries/delivery-list.service.js';
import { EventsController } from './alerts/events.controller.js';
import { Events } from './alerts/events.service.js';
import { FeedChangesReader } from './feed/feed-changes.service.js';
import { FeedController } from './feed/feed.controller.js';
import { Feed } from './feed/feed.service.js';
import { InboxCounts } from './feed/inbox-counts.js';
import { Incidents } from './alerts/incidents.js';
import { MessagesController } from './messages/messages.controller.js';
import { Messages } from './messages/messages.service.js';
import { NotificationErasure } from './notification-erasure.js';
import { Notifications } from './notifications.service.js';
import { NotificationViews } from './views/notification-views.js';
import { SendNow } from './messages/send-now.js';
import { DeliverySummaries } from './deliveries/delivery-summary.js';
import { Statistics } from './deliveries/statistics.service.js';
import { TestEmails } from './messages/test-email.js';
import { TenantDeliveriesController } from './deliveries/tenant-deliveries.controller.js';
import { TenantDeliveries } from './deliveries/tenant-deliveries.service.js';
import { AlertSteps } from './trace/alert-steps.js';
import { Chains } from './trace/chains.js';
import { Traces } from './trace/trace.service.js';
import { TracedNotifications } from './trace/traced-notifications.js';
import { UserLogController } from './deliveries/user-log.controller.js';
import { UserLog } from './deliveries/user-log.service.js';
import { WatchedKinds } from './alerts/watched.js';
import { PasswordMails } from './messages/password-mails.js';
import { AddressNotices } from './messages/address-notices.js';
import { UnsubscribePageController } from './unsubscribe/unsubscribe-page.controller.js';
import { Unsubscribing } from './unsubscribe/unsubscribe.service.js';
import { WebhookNotices } from './messages/webhook-notices.js';

/** Alerts, notifications and feeds. */
@Module({
  imports: [AuthModule, DeliveryModule, UsersModule, WordingModule],
  controllers: [
    AlertPageController,
    AlertsController,
    DeliveriesController,
    EventsController,
    FeedController,
    MessagesController,
    TenantDeliveriesController,
    UnsubscribePageController,
    UserLogController,
  ],
  providers: [
    AddressNotices,
    AlertLinkService,
    AlertList,
    AlertRecipients,
    Alerts,
    AlertSilence,
    AlertSteps,
    Chains,
    ChannelFallbacks,
    CheckJobs,
    DeliveryList,
    Events,
    Feed,
    FeedChangesReader,
    InboxCounts,
    Incidents,
    Messages,
    NotificationErasure,
    Notifications,
    NotificationViews,
    SendNow,
    SnoozeEnds,
    Statistics,
    DeliverySummaries,
    TenantDeliveries,
    TestEmails,
    TracedNotifications,
    Traces,
    Unsubscribing,
    UserLog,
    WatchedKinds,
    PasswordMails,
    WebhookNotices,
  ],
  exports: [
    Alerts,
    AlertSteps,
    Chains,
    ChannelFallbacks,
    DeliverySummaries,
    Feed,
    FeedChangesReader,
    Incidents,
    Messages,
    NotificationErasure,
    Notifications,
    NotificationViews,
    SendNow,
    SnoozeEnds,
    TracedNotifications,
    WatchedKinds,
  ],
})
export class NotificationsModule {}
