import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ImportsModule } from '../imports/imports.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { Deadline } from './deadline.entity.js';
import { DeadlinesController } from './deadlines.controller.js';
import { DeadlineFacts } from './deadlines.facts.js';
import { DeadlinesService } from './deadlines.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Deadline], 'app'), ImportsModule, NotificationsModule],
  controllers: [DeadlinesController],
  providers: [DeadlinesService, DeadlineFacts],
  exports: [DeadlinesService],
})
export class DeadlinesModule {}
