import { type Config, publicUrl } from '../../platform/config/config.js';
import { ecPublicKey } from '../../platform/config/hook-settings.js';
import type { Clock } from '../../platform/clock/clock.js';
import type { EventProvider, EventProviderName } from './provider-event.js';
import { GenericEvents } from './providers/generic.js';
import { MailgunEvents } from './providers/mailgun.js';
import { PostmarkEvents } from './providers/postmark.js';
import { SendGridEvents } from './providers/sendgrid.js';
import { SesEvents } from './providers/ses.js';
import { SnsMessages } from './providers/sns-messages.js';
import { TwilioEvents } from './providers/twilio.js';

/** A provider that may call, and the token of its URL. */
export interface Hook {
  token: string;
  provider: EventProvider;
}

/** The configured providers. */
export function hooksOf(config: Config, clock: Clock): ReadonlyMap<string, Hook> {
  const hooks = new Map<EventProviderName, Hook>();
  const add = (name: EventProviderName, token: string | null, provider: () => EventProvider) => {
    if (token !== null) hooks.set(name, { token, provider: provider() });
  };
  add('ses', config.hooksSesToken, () => {
    return new SesEvents(config.hooksSesTopicArn ?? '', new SnsMessages(config.hooksSesSnsUrl), clock);
  });
  add('postmark', config.hooksPostmarkToken, () => new PostmarkEvents());
  add('mailgun', config.hooksMailgunToken, () => {
    return new MailgunEvents(config.hooksMailgunSigningKey ?? '', clock);
  });
  add('sendgrid', config.hooksSendgridToken, () => {
    return new SendGridEvents(ecPublicKey(config.hooksSendgridVerificationKey ?? ''), clock);
  });
  add('twilio', config.hooksTwilioToken, () => {
    return new TwilioEvents(config.twilioAuthToken ?? '', twilioHookUrl(config) ?? '');
  });
  add('generic', config.hooksGenericToken, () => new GenericEvents(config.hooksGenericSecret ?? '', clock));
  return hooks;
}

/** The URL to which Twilio reports the outcome of a message; null: none. */
export function twilioHookUrl(config: Config): string | null {
  const token = config.hooksTwilioToken;
  return token === null || config.publicUrl === null ? null : `${publicUrl(config)}/hooks/twilio/${token}`;
}
