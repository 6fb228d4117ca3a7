import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { Deadline } from './deadline.entity.js';
import { DeadlinesController } from './deadlines.controller.js';
import { DeadlineFacts } from './deadlines.facts.js';
import { DeadlinesService } from './deadlines.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Deadline], 'app'), NotificationsModule],
  controllers: [DeadlinesController],
  providers: [DeadlinesService, DeadlineFacts],
  exports: [DeadlinesService],
})
export class DeadlinesModule {}
