import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { dueItemsController } from '../due-items/due-items.controller.js';
import { ImportsModule } from '../imports/imports.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { DeadlineFacts } from './deadlines.facts.js';
import { Deadline } from './deadline.entity.js';
import { DEADLINE_KIND } from './deadlines.kind.js';

@Module({
  imports: [TypeOrmModule.forFeature([Deadline], 'app'), ImportsModule, NotificationsModule],
  controllers: [dueItemsController(DEADLINE_KIND)],
  providers: [DeadlineFacts],
})
export class DeadlinesModule {}
