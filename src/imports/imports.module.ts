import { Module } from '@nestjs/common';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { Apply } from './apply.js';
import { ImportList } from './import-list.js';
import { ImportsController } from './imports.controller.js';
import { Imports } from './imports.service.js';
import { Staging } from './staging.js';

/** Turns files into rows, for the rooms of watched items. */
@Module({
  imports: [NotificationsModule],
  controllers: [ImportsController],
  providers: [Apply, ImportList, Imports, Staging],
  exports: [Imports],
})
export class ImportsModule {}
