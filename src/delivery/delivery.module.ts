import { Module, type OnModuleInit } from '@nestjs/common';
import { CHANNELS } from '../contracts/channels.js';
import { TenantsModule } from '../tenants/tenants.module.js';
import { TenantEvents } from '../tenants/tenant-events.js';
import { UserEvents } from '../users/user-events.js';
import { UsersModule } from '../users/users.module.js';
import { EventMatches } from './provider-events/event-matches.js';
import { EventRecord } from './provider-events/event-record.js';
import { HooksController } from './provider-events/hooks.controller.js';
import { Hooks } from './provider-events/hooks.service.js';
import { StoppedAddressEvents } from './stopped-addresses/stopped-address-events.js';
import { StoppedAddressesController } from './stopped-addresses/stopped-addresses.controller.js';
import { StoppedAddresses } from './stopped-addresses/stopped-addresses.service.js';
import { Admission } from './dispatch/admission.js';
import { Deferring } from './dispatch/deferring.js';
import { MinuteLimit } from './dispatch/minute-limit.js';
import { ChannelHealth } from './channel-health/channel-health.js';
import { ChannelWaits } from './channel-health/channel-waits.js';
import { CHANNEL_TRAITS } from './channels/channels.js';
import { type ChannelSender, SENDERS, type Senders } from './channels/sender.js';
import { DeliveryErasure } from './delivery-erasure.js';
import { DeadLetterActs } from './admin/dead-letter-acts.js';
import { DeliveryJobs } from './admin/delivery-jobs.js';
import { DeliveryOutcomes } from './admin/delivery-outcomes.js';
import { DeliveryQueues } from './admin/delivery-queues.js';
import { DeliverySending } from './sending/delivery-sending.js';
import { DirectSending } from './sending/direct-sending.js';
import { Dispatcher } from './dispatch/dispatcher.js';
import { Hastening } from './admin/hastening.js';
import { HeldLeases } from './sending/held-leases.js';
import { Leases } from './sending/leases.js';
import { OpenDeliveriesReader } from './admin/open-deliveries.js';
import { Outbox } from './outbox.js';
import { Outlook } from './dispatch/outlook.js';
import { Presence } from './dispatch/presence.js';
import { ProcessingService } from './admin/processing.js';
import { WebhookModule } from './channels/webhook/webhook.module.js';
import { Reaper } from './sending/reaper.js';

/** From a created delivery to an accepted message: outbox, dispatcher, leases, channels. */
@Module({
  imports: [TenantsModule, UsersModule, ...CHANNELS.map((channel) => CHANNEL_TRAITS[channel].module)],
  controllers: [HooksController, StoppedAddressesController],
  providers: [
    Admission,
    Deferring,
    MinuteLimit,
    ChannelHealth,
    DeadLetterActs,
    ChannelWaits,
    DirectSending,
    DeliveryErasure,
    DeliveryJobs,
    DeliveryOutcomes,
    DeliveryQueues,
    DeliverySending,
    Dispatcher,
    EventMatches,
    EventRecord,
    Hastening,
    HeldLeases,
    Hooks,
    Leases,
    OpenDeliveriesReader,
    Outbox,
    Outlook,
    Presence,
    ProcessingService,
    Reaper,
    StoppedAddresses,
    StoppedAddressEvents,
    {
      provide: SENDERS,
      inject: CHANNELS.map((channel) => CHANNEL_TRAITS[channel].sender),
      useFactory: sendersByChannel,
    },
  ],
  exports: [
    DeadLetterActs,
    ChannelHealth,
    ChannelWaits,
    DeliveryErasure,
    DeliveryJobs,
    DeliveryOutcomes,
    DeliveryQueues,
    DirectSending,
    EventMatches,
    MinuteLimit,
    OpenDeliveriesReader,
    Outbox,
    Outlook,
    Presence,
    ProcessingService,
    SENDERS,
    StoppedAddressEvents,
    WebhookModule,
  ],
})
export class DeliveryModule implements OnModuleInit {
  constructor(
    private readonly outbox: Outbox,
    private readonly stopped: StoppedAddresses,
    private readonly tenants: TenantEvents,
    private readonly users: UserEvents,
  ) {}

  /** Settings that affect waiting deliveries have changed, or their recipient was erased. */
  onModuleInit(): void {
    this.tenants.onSettingsChanged((tx) => this.outbox.reconsider(tx, null));
    this.users.onPreferencesChanged((tx, userId) => this.outbox.preferencesChanged(tx, userId));
    this.users.onErased(async (tx, userId) => {
      await this.stopped.userErased(tx, userId);
      await this.outbox.userErased(tx, userId);
    });
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
