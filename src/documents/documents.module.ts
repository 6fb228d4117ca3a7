import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { dueItemsController } from '../due-items/due-items.controller.js';
import { ImportsModule } from '../imports/imports.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { DocumentFacts } from './documents.facts.js';
import { DocumentRequest } from './document-request.entity.js';
import { DOCUMENT_KIND } from './documents.kind.js';

@Module({
  imports: [TypeOrmModule.forFeature([DocumentRequest], 'app'), ImportsModule, NotificationsModule],
  controllers: [dueItemsController(DOCUMENT_KIND)],
  providers: [DocumentFacts],
})
export class DocumentsModule {}
