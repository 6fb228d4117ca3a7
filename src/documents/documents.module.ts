import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ImportsModule } from '../imports/imports.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { DocumentRequest } from './document-request.entity.js';
import { DocumentsController } from './documents.controller.js';
import { DocumentFacts } from './documents.facts.js';
import { DocumentsService } from './documents.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([DocumentRequest], 'app'), ImportsModule, NotificationsModule],
  controllers: [DocumentsController],
  providers: [DocumentsService, DocumentFacts],
  exports: [DocumentsService],
})
export class DocumentsModule {}
