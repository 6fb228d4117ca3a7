import { rootCertificates } from 'node:tls';
import { Module } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../../platform/config/config.js';
import { readCertificates } from '../../../platform/config/formats.js';
import { Wording } from '../../../wording/wording.js';
import { WordingModule } from '../../../wording/wording.module.js';
import { CALL_LIMITS } from './calls/post.js';
import { WebhookCaller } from './calls/webhook-caller.js';
import { EndpointCalls } from './endpoints/endpoint-calls.js';
import { EndpointEvents } from './endpoints/endpoint-events.js';
import { EndpointRekeying } from './endpoints/endpoint-rekeying.js';
import { EndpointSecrets } from './endpoints/endpoint-secrets.js';
import { EndpointTests } from './endpoints/endpoint-tests.js';
import { EndpointsController } from './endpoints/endpoints.controller.js';
import { Endpoints } from './endpoints/endpoints.service.js';
import { AddressGuard } from './guard/address-guard.js';
import { resolveByDns } from './guard/resolver.js';
import { TargetGuard } from './guard/target.js';
import { WebhookChannel } from './webhook.channel.js';

/** Webhooks: the endpoints of tenants, and the channel that calls them. */
@Module({
  imports: [WordingModule],
  controllers: [EndpointsController],
  providers: [
    EndpointCalls,
    EndpointEvents,
    EndpointRekeying,
    EndpointSecrets,
    EndpointTests,
    Endpoints,
    {
      provide: TargetGuard,
      inject: [CONFIG],
      useFactory: ({ webhookAllowedNetworks, webhookAllowHttp }: Config) =>
        new TargetGuard(new AddressGuard(webhookAllowedNetworks), resolveByDns, webhookAllowHttp),
    },
    {
      provide: WebhookCaller,
      inject: [CONFIG, TargetGuard, Clock],
      useFactory: ({ webhookCaFile }: Config, guard: TargetGuard, clock: Clock) =>
        new WebhookCaller(
          guard,
          clock,
          CALL_LIMITS,
          webhookCaFile === null ? null : [...rootCertificates, readCertificates(webhookCaFile)],
        ),
    },
    {
      provide: WebhookChannel,
      inject: [WebhookCaller, EndpointCalls, Wording, Clock],
      useFactory: (caller: WebhookCaller, endpoints: EndpointCalls, wording: Wording, clock: Clock) =>
        new WebhookChannel(caller, endpoints, wording, clock),
    },
  ],
  exports: [EndpointEvents, EndpointRekeying, WebhookChannel],
})
export class WebhookModule {}
