import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { dueItemsController } from '../due-items/due-items.controller.js';
import { ImportsModule } from '../imports/imports.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { TenantsModule } from '../tenants/tenants.module.js';
import { UsersModule } from '../users/users.module.js';
import { ProcessReminders } from './process-reminders.js';
import { ReminderEvents } from './reminder-events.js';
import { RemindersController, UserRemindersController } from './reminders.controller.js';
import { Reminders } from './reminders.service.js';
import { TicketNotices } from './tickets/ticket-notices.js';
import { TicketNoticesController } from './tickets/ticket-notices.controller.js';
import { Ticket } from './tickets/ticket.entity.js';
import { TICKET_KIND } from './tickets/tickets.kind.js';

/** Tickets, and the reminders that users set. */
@Module({
  imports: [
    TypeOrmModule.forFeature([Ticket], 'app'),
    ImportsModule,
    NotificationsModule,
    TenantsModule,
    UsersModule,
  ],
  controllers: [
    dueItemsController(TICKET_KIND),
    TicketNoticesController,
    RemindersController,
    UserRemindersController,
  ],
  providers: [ProcessReminders, ReminderEvents, Reminders, TicketNotices],
})
export class RemindersModule {}
