import { Module, type OnModuleInit } from '@nestjs/common';
import { CHANNELS } from '../contracts/channels.js';
import { TenantsModule } from '../tenants/tenants.module.js';
import { TenantEvents } from '../tenants/tenant-events.js';
import { UserEvents } from '../users/user-events.js';
import { UsersModule } from '../users/users.module.js';
import { Admission } from './dispatch/admission.js';
import { ChannelHealth } from './channel-health/channel-health.js';
import { CHANNEL_TRAITS } from './channels/channels.js';
import { type ChannelSender, SENDERS, type Senders } from './channels/sender.js';
import { DeliveryJobs } from './admin/delivery-jobs.js';
import { DeliveryQueues } from './admin/delivery-queues.js';
import { DeliverySending } from './sending/delivery-sending.js';
import { DirectSending } from './sending/direct-sending.js';
import { Dispatcher } from './dispatch/dispatcher.js';
import { Hastening } from './admin/hastening.js';
import { HeldLeases } from './sending/held-leases.js';
import { Leases } from './sending/leases.js';
import { OpenDeliveriesReader } from './admin/open-deliveries.js';
import { Outbox } from './outbox.js';
import { Presence } from './dispatch/presence.js';
import { ProcessingService } from './admin/processing.js';
import { Reaper } from './sending/reaper.js';

/** From a created delivery to an accepted message: outbox, dispatcher, leases, channels. */
@Module({
  imports: [TenantsModule, UsersModule, ...CHANNELS.map((channel) => CHANNEL_TRAITS[channel].module)],
  providers: [
    Admission,
    ChannelHealth,
    DirectSending,
    DeliveryJobs,
    DeliveryQueues,
    DeliverySending,
    Dispatcher,
    Hastening,
    HeldLeases,
    Leases,
    OpenDeliveriesReader,
    Outbox,
    Presence,
    ProcessingService,
    Reaper,
    {
      provide: SENDERS,
      inject: CHANNELS.map((channel) => CHANNEL_TRAITS[channel].sender),
      useFactory: sendersByChannel,
    },
  ],
  exports: [
    ChannelHealth,
    DeliveryJobs,
    DeliveryQueues,
    DirectSending,
    OpenDeliveriesReader,
    Outbox,
    Presence,
    ProcessingService,
    SENDERS,
  ],
})
export class DeliveryModule implements OnModuleInit {
  constructor(
    private readonly outbox: Outbox,
    private readonly tenants: TenantEvents,
    private readonly users: UserEvents,
  ) {}

  /** Settings that affect waiting deliveries have changed, or their recipient was erased. */
  onModuleInit(): void {
    this.tenants.onSettingsChanged((tx) => this.outbox.reconsider(tx, null));
    this.users.onPreferencesChanged((tx, userId) => this.outbox.reconsider(tx, userId));
    this.users.onErased((tx, userId) => this.outbox.userErased(tx, userId));
  }
}

/** @param made one per channel, in order; null if it is not configured. */
function sendersByChannel(...made: (ChannelSender | null)[]): Senders {
  return new Map(
    CHANNELS.flatMap((channel, place) => {
      const sender = made[place];
      return sender ? [[channel, sender] as const] : [];
    }),
  );
}
