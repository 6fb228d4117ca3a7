import { Browser } from '../../src/cli/demo/browser.js';
import { Api } from '../../src/cli/demo/api.js';
import type { Driver } from './driver.js';
import type { Installation } from './installation.js';
import type { ProviderDesk } from './provider-desk.js';

/** A message to one address, as the client sent it. */
interface Sent {
  name: string;
  desk: ProviderDesk;
  /** As the provider sees it. */
  address: string;
  /** As its delivery has it. */
  delivered_to: string;
}

/** Messages of one channel, each with a name, through one or more providers. */
export interface Line {
  channel: 'sms' | 'push';
  desks: readonly ProviderDesk[];
  /** What was accepted by the API. */
  sent: Sent[];
  /** Sends a message of each name through each provider. */
  send(names: readonly string[]): Promise<void>;
  /** The addresses of the deliveries of these names. */
  addressesOf(names: readonly string[]): string[];
  /** The name of the message to an address of the provider. */
  nameOf(desk: ProviderDesk, address: string): string;
}

abstract class SentLine {
  readonly sent: Sent[] = [];

  addressesOf(names: readonly string[]): string[] {
    return this.sent.filter(({ name }) => names.includes(name)).map(({ delivered_to }) => delivered_to);
  }

  nameOf(desk: ProviderDesk, address: string): string {
    return this.sent.find((each) => each.desk === desk && each.address === address)?.name ?? '';
  }
}

/** Text messages to numbers. */
export class SmsLine extends SentLine implements Line {
  readonly channel = 'sms';
  readonly desks: readonly ProviderDesk[];

  /** @param first two digits: the first thousand of its numbers */
  constructor(
    private readonly driver: Driver,
    private readonly desk: ProviderDesk,
    private readonly first: number,
  ) {
    super();
    this.desks = [desk];
  }

  get provider(): string {
    return this.desk.provider.name;
  }

  async send(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const address = `+336${this.first}00${String(this.sent.length).padStart(4, '0')}`;
      this.sent.push({ name, desk: this.desk, address, delivered_to: address });
      await this.driver.message({ channel: 'sms', to: address, body: `Rappel ${name}` });
    }
  }
}

/** Devices of one user that the server keeps. */
const MAX_DEVICES = 20;

/** Pushes to the devices of new users: one message to as many as the devices need. */
export class PushLine extends SentLine implements Line {
  readonly channel = 'push';

  constructor(
    private readonly driver: Driver,
    private readonly installation: Installation,
    readonly desks: readonly ProviderDesk[],
  ) {
    super();
  }

  async send(names: readonly string[]): Promise<void> {
    const each = Math.floor(MAX_DEVICES / this.desks.length);
    const user_ids: string[] = [];
    for (let from = 0; from < names.length; from += each) {
      user_ids.push(await this.personWith(names.slice(from, from + each)));
    }
    await this.driver.message({ channel: 'push', user_ids, subject: 'Rappel', body: 'Bonjour' });
  }

  private async personWith(names: readonly string[]): Promise<string> {
    const email = `pushes${this.sent.length}@cabinet-martin.example`;
    const id = await this.driver.person(email);
    const url = this.driver.urls[0] ?? '';
    const api = new Api(url).withToken(await this.installation.accessToken(url, email));
    for (const name of names) {
      for (const desk of this.desks) {
        const device =
          desk.provider.name === 'fcm'
            ? { platform: 'fcm', token: name }
            : { platform: 'web_push', subscription: new Browser(`${desk.url}/${name}`).subscription };
        const registered = await api.call<{ id: string }>('POST', 'me/devices', device);
        this.sent.push({ name, desk, address: name, delivered_to: registered.id });
      }
    }
    return id;
  }
}
