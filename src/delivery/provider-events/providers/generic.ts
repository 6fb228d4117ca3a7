import type { Clock } from '../../../platform/clock/clock.js';
import { invalid } from '../../../platform/errors/problem.js';
import {
  addressOf,
  type Fields,
  fieldsOf,
  instantOf,
  jsonObjectOf,
  keyOf,
  messageIdOf,
  textOf,
  wordsOf,
} from '../fields.js';
import {
  type EventProvider,
  type HookRequest,
  PROVIDER_EVENTS,
  type ProviderEvent,
  type ProviderReport,
} from '../provider-event.js';
import { headerOf, hmac, isSame, requireRecent, requireSignature, secondsOf } from '../signatures.js';

const MAX_EVENTS = 1_000;
const CHANNELS = ['email', 'sms'] as const;
const BOUNCES = ['hard', 'soft'] as const;

/**
 * Our own format, for any other provider, signed as https://www.standardwebhooks.com says. docs/provider-events.md
 * describes it.
 */
export class GenericEvents implements EventProvider {
  readonly types = ['application/json'];
  private readonly key: Buffer;

  /** @param secret `whsec_…` */
  constructor(
    secret: string,
    private readonly clock: Clock,
  ) {
    this.key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  }

  read(request: HookRequest): Promise<ProviderReport> {
    const id = headerOf(request, 'webhook-id');
    const timestamp = headerOf(request, 'webhook-timestamp');
    const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), request.body]);
    const expected = `v1,${hmac('sha256', this.key, signed).toString('base64')}`;
    // Several while its secret is rotated.
    const given = headerOf(request, 'webhook-signature').split(' ').slice(0, 10);
    requireSignature(id !== '' && given.filter((one) => isSame(one, expected)).length > 0);
    requireRecent(secondsOf(timestamp), this.clock.now());
    const { events } = jsonObjectOf(request.body.toString());
    if (!Array.isArray(events) || events.length > MAX_EVENTS)
      throw invalid('/events', `must be a list of at most ${MAX_EVENTS} events`);
    return Promise.resolve({
      request_key: null,
      events: events.map((fields, place) => eventOf(fieldsOf(fields), `/events/${place}`)),
      ignored: 0,
    });
  }
}

function eventOf(fields: Fields, place: string): ProviderEvent {
  const id = textOf(fields.id);
  if (id === null) throw invalid(`${place}/id`, 'must be a text that identifies the event');
  const name = oneOf(PROVIDER_EVENTS, fields.event, `${place}/event`);
  const channel = oneOf(CHANNELS, fields.channel ?? 'email', `${place}/channel`);
  const bounce = name === 'bounced' ? oneOf(BOUNCES, fields.bounce, `${place}/bounce`) : null;
  const address = addressOf(channel, fields.address);
  if (address === null && fields.address !== undefined)
    throw invalid(`${place}/address`, 'must be an e-mail address, or a number with its country code');
  const message_id = messageIdOf(fields.message_id);
  const provider_id = textOf(fields.provider_id);
  const answersForNumber = channel === 'sms' && (name === 'stopped' || name === 'started');
  if (message_id === null && address === null)
    throw invalid(place, 'needs message_id, or address with provider_id');
  if (message_id === null && provider_id === null && !answersForNumber)
    throw invalid(place, 'needs message_id or provider_id');
  return {
    ...{ key: keyOf(id), name, bounce, channel, message_id, provider_id, address },
    detail: wordsOf(fields.detail),
    at: instantOf(fields.at),
  };
}

function oneOf<Word extends string>(words: readonly Word[], value: unknown, place: string): Word {
  const word = words.find((each) => each === value);
  if (word === undefined) throw invalid(place, `must be one of ${words.join(', ')}`);
  return word;
}
