import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ImportsModule } from '../imports/imports.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { Task } from './task.entity.js';
import { TasksController } from './tasks.controller.js';
import { TaskFacts } from './tasks.facts.js';
import { TasksService } from './tasks.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Task], 'app'), ImportsModule, NotificationsModule],
  controllers: [TasksController],
  providers: [TasksService, TaskFacts],
  exports: [TasksService],
})
export class TasksModule {}
