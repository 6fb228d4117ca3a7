import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { dueItemsController } from '../due-items/due-items.controller.js';
import { ImportsModule } from '../imports/imports.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { TaskFacts } from './tasks.facts.js';
import { Task } from './task.entity.js';
import { TASK_KIND } from './tasks.kind.js';

@Module({
  imports: [TypeOrmModule.forFeature([Task], 'app'), ImportsModule, NotificationsModule],
  controllers: [dueItemsController(TASK_KIND)],
  providers: [TaskFacts],
})
export class TasksModule {}
