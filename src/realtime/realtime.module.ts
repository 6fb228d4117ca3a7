import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { Handshake } from './handshake.js';
import { LiveFeeds } from './live-feeds.js';
import { NotificationsGateway } from './notifications.gateway.js';

/** Sockets, in processes with the web role. */
@Module({
  imports: [AuthModule, NotificationsModule],
  providers: [Handshake, LiveFeeds, NotificationsGateway],
})
export class RealtimeModule {}
