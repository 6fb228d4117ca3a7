import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { DeliveryModule } from '../delivery/delivery.module.js';
import { UsersModule } from '../users/users.module.js';
import { AlertList } from './alert-list.service.js';
import { AlertsController } from './alerts.controller.js';
import { Alerts } from './alerts.service.js';
import { CheckJobs } from './check.js';
import { DeliveriesController } from './deliveries.controller.js';
import { DeliveryList } from './delivery-list.service.js';
import { EventsController } from './events.controller.js';
import { Events } from './events.service.js';
import { FeedChangesReader } from './feed-changes.service.js';
import { FeedController } from './feed.controller.js';
import { Feed } from './feed.service.js';
import { Incidents } from './incidents.js';
import { MessagesController } from './messages.controller.js';
import { Messages } from './messages.service.js';
import { Notifications } from './notifications.service.js';
import { SendNow } from './send-now.js';
import { Statistics } from './statistics.service.js';
import { TestEmails } from './test-email.js';
import { WatchedKinds } from './watched.js';
import { PasswordMails } from './password-mails.js';

/** Alerts, what people are told of them, and their feeds. */
@Module({
  imports: [AuthModule, DeliveryModule, UsersModule],
  controllers: [FeedController, AlertsController, DeliveriesController, EventsController, MessagesController],
  providers: [
    AlertList,
    Alerts,
    CheckJobs,
    DeliveryList,
    Events,
    Feed,
    FeedChangesReader,
    Incidents,
    Messages,
    Notifications,
    SendNow,
    Statistics,
    TestEmails,
    WatchedKinds,
    PasswordMails,
  ],
  exports: [Alerts, Feed, FeedChangesReader, Incidents, Messages, Notifications, SendNow, WatchedKinds],
})
export class NotificationsModule {}
