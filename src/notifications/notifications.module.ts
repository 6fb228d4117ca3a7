import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { DeliveryModule } from '../delivery/delivery.module.js';
import { UsersModule } from '../users/users.module.js';
import { WordingModule } from '../wording/wording.module.js';
import { AlertList } from './alerts/alert-list.service.js';
import { AlertLinkService } from './alerts/alert-link.service.js';
import { AlertPageController } from './alerts/alert-page.controller.js';
import { AlertsController } from './alerts/alerts.controller.js';
import { Alerts } from './alerts/alerts.service.js';
import { AlertSilence } from './alerts/silence.js';
import { SnoozeEnds } from './alerts/snooze-ends.js';
import { CheckJobs } from './alerts/check.js';
import { DeliveriesController } from './deliveries/deliveries.controller.js';
import { DeliveryList } from './deliveries/delivery-list.service.js';
import { EventsController } from './alerts/events.controller.js';
import { Events } from './alerts/events.service.js';
import { FeedChangesReader } from './feed/feed-changes.service.js';
import { FeedController } from './feed/feed.controller.js';
import { Feed } from './feed/feed.service.js';
import { Incidents } from './alerts/incidents.js';
import { MessagesController } from './messages/messages.controller.js';
import { Messages } from './messages/messages.service.js';
import { Notifications } from './notifications.service.js';
import { NotificationViews } from './views/notification-views.js';
import { SendNow } from './messages/send-now.js';
import { Statistics } from './deliveries/statistics.service.js';
import { TestEmails } from './messages/test-email.js';
import { WatchedKinds } from './alerts/watched.js';
import { PasswordMails } from './messages/password-mails.js';

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
  ],
  providers: [
    AlertLinkService,
    AlertList,
    Alerts,
    AlertSilence,
    CheckJobs,
    DeliveryList,
    Events,
    Feed,
    FeedChangesReader,
    Incidents,
    Messages,
    Notifications,
    NotificationViews,
    SendNow,
    SnoozeEnds,
    Statistics,
    TestEmails,
    WatchedKinds,
    PasswordMails,
  ],
  exports: [
    Alerts,
    Feed,
    FeedChangesReader,
    Incidents,
    Messages,
    Notifications,
    SendNow,
    SnoozeEnds,
    WatchedKinds,
  ],
})
export class NotificationsModule {}
