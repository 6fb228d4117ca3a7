import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { CONFIG, type Config } from '../../../platform/config/config.js';
import { Clock } from '../../../platform/clock/clock.js';
import { Wording } from '../../../wording/wording.js';
import { WordingModule } from '../../../wording/wording.module.js';
import { twilioHookUrl } from '../../provider-events/hook-providers.js';
import { SnsSms } from './providers/aws-sns.js';
import { ConsoleSms } from './providers/console.js';
import { TwilioSms } from './providers/twilio.js';
import type { SmsProvider } from './sms-provider.js';
import { SmsChannel } from './sms.channel.js';

const TWILIO_API_URL = 'https://api.twilio.com';
/** Where `console` writes, if SMS_SIMULATION_FILE is not set. */
const SIMULATION_FILE = 'sms.ndjson';

/** Text messages by SMS_PROVIDER; without one the channel is null. */
@Module({
  imports: [WordingModule],
  providers: [
    {
      provide: SmsChannel,
      inject: [CONFIG, Wording, Clock],
      useFactory: (config: Config, wording: Wording, clock: Clock) => {
        const provider = smsProviderOf(config, clock);
        return provider === null ? null : new SmsChannel(provider, wording, clock, config.smsTransliterate);
      },
    },
  ],
  exports: [SmsChannel],
})
export class SmsModule {}

/** The provider of SMS_PROVIDER; null if it is none. */
export function smsProviderOf(config: Config, clock: Clock): SmsProvider | null {
  switch (config.smsProvider) {
    case 'console':
      return new ConsoleSms(config.smsSimulationFile ?? join(config.dataDir, SIMULATION_FILE), clock);
    case 'twilio':
      return new TwilioSms(
        {
          account_sid: config.twilioAccountSid ?? '',
          auth_token: config.twilioAuthToken ?? '',
          from: config.twilioFrom,
          messaging_service_sid: config.twilioMessagingServiceSid,
          status_url: twilioHookUrl(config),
          base_url: config.twilioApiUrl ?? TWILIO_API_URL,
        },
        clock,
      );
    case 'aws_sns':
      return new SnsSms({
        region: config.awsRegion ?? '',
        credentials:
          config.awsAccessKeyId === null || config.awsSecretAccessKey === null
            ? null
            : { access_key_id: config.awsAccessKeyId, secret_access_key: config.awsSecretAccessKey },
        sender_id: config.awsSnsSenderId,
        endpoint: config.awsSnsEndpoint,
      });
    default:
      return null;
  }
}
