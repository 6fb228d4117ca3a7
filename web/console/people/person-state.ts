import type { ApiClient } from '../../client/api-client.js';
import type { components } from '../../client/api.js';
import type { PushView } from '../../client/push.js';
import { RequestError } from '../../client/rest.js';
import type { Me } from '../context.js';
import type { ConsolePush } from '../push.js';
import type { EffectivePreference, Preferences } from './preferences-draft.js';
import { type Profile, profileBody } from './profile-form.js';

type Schemas = components['schemas'];
export type Session = Schemas['SessionView'];
export type Device = Schemas['DeviceView'];
export type PersonRow = Pick<
  Schemas['ListedUser'],
  'id' | 'name' | 'email' | 'role' | 'phone' | 'locale' | 'time_zone'
> & { active: boolean };
type Channel = EffectivePreference['channel'];

/** A person, with what they may change and what an admin may. No DOM. */
export class PersonState {
  person: PersonRow | null = null;
  preferences: Preferences | null = null;
  /** Their own only: nobody sees where somebody else is signed in. */
  sessions: readonly Session[] = [];
  devices: readonly Device[] = [];
  /** Pushes in this browser. */
  push: PushView | null = null;
  private pushKey: string | null = null;
  fault: unknown = null;
  isGone = false;

  constructor(
    private readonly api: ApiClient,
    private readonly me: Me,
    private readonly browserPush: ConsolePush,
    readonly id: string,
    private readonly onChange: () => void,
  ) {}

  get isSelf(): boolean {
    return this.id === this.me.id;
  }

  get isAdmin(): boolean {
    return this.me.role === 'admin';
  }

  async load(): Promise<void> {
    this.fault = null;
    try {
      const [person, preferences] = await Promise.all([this.readPerson(), this.readPreferences()]);
      Object.assign(this, { person, preferences });
      if (this.isSelf) await Promise.all([this.loadSessions(), this.loadDevices()]);
    } catch (error) {
      const code = error instanceof RequestError ? error.code : null;
      this.isGone = code === 'not_found' || code === 'forbidden' || code === 'validation_failed';
      if (!this.isGone) this.fault = error;
    }
    this.onChange();
  }

  /** @throws RequestError */
  async saveProfile(profile: Profile): Promise<void> {
    const { api, id } = this;
    const body = profileBody(profile);
    const { email, role } = profile;
    if (this.isAdmin)
      await api.patch('/api/v1/users/{id}', {
        params: { path: { id } },
        body: { ...body, email: email.trim(), role },
      });
    else await api.patch('/api/v1/me', { body });
    this.person = await this.readPerson();
    this.onChange();
  }

  /** @throws RequestError */
  async savePreferences(body: Schemas['Preferences']): Promise<void> {
    const { api, id } = this;
    this.preferences = this.isSelf
      ? await api.put('/api/v1/preferences', { body })
      : await api.put('/api/v1/users/{id}/preferences', { params: { path: { id } }, body });
    this.onChange();
  }

  /** Sends a message now. @returns the id of its notification. @throws RequestError */
  async test(channel: Channel, text: { subject: string; message: string }): Promise<string | null> {
    const { api, id } = this;
    if (channel === 'email' && this.isSelf)
      return (await api.post('/api/v1/notifications/test-email', {})).notification_id;
    const { notifications } = await api.post('/api/v1/notifications/send', {
      body: { user_id: id, channel, ...text },
    });
    return notifications[0]?.id ?? null;
  }

  /** @throws RequestError */
  async passwordLink(): Promise<Schemas['HandedLink']> {
    return this.api.post('/api/v1/users/{id}/password-link', { params: { path: { id: this.id } } });
  }

  /** @throws RequestError */
  async endSession(id: string): Promise<void> {
    await this.api.delete('/api/v1/me/sessions/{id}', { params: { path: { id } } });
    await this.loadSessions();
  }

  /** Ends all sessions of somebody else, or one's own other ones. @throws RequestError */
  async endSessions(): Promise<void> {
    const { api, id } = this;
    if (!this.isSelf) await api.delete('/api/v1/users/{id}/sessions', { params: { path: { id } } });
    else {
      await api.delete('/api/v1/me/sessions');
      await this.loadSessions();
    }
  }

  /** @throws RequestError */
  async removeDevice(id: string): Promise<void> {
    if (id === this.push?.deviceId) await this.browserPush.turnOff();
    else await this.api.delete('/api/v1/me/devices/{id}', { params: { path: { id } } });
    await this.loadDevices();
  }

  /** Turns pushes in this browser on or off. Call it in the click. @throws RequestError, or what the browser throws */
  async turnPush(): Promise<void> {
    const { browserPush, pushKey } = this;
    if (this.push?.state === 'on') await browserPush.turnOff();
    else if (pushKey !== null) await browserPush.turnOn(pushKey);
    await this.loadDevices();
  }

  /** @throws RequestError */
  async erase(): Promise<void> {
    await this.api.delete('/api/v1/users/{id}', { params: { path: { id: this.id } } });
  }

  private async readPerson(): Promise<PersonRow> {
    const { api, id } = this;
    if (this.isAdmin) return api.get('/api/v1/users/{id}', { params: { path: { id } } });
    if (!this.isSelf) throw new RequestError('refused', 'not_found');
    return { ...(await api.get('/api/v1/me')), active: true };
  }

  private readPreferences(): Promise<Preferences> {
    const { api, id } = this;
    return this.isSelf
      ? api.get('/api/v1/preferences')
      : api.get('/api/v1/users/{id}/preferences', { params: { path: { id } } });
  }

  private async loadSessions(): Promise<void> {
    this.sessions = (await this.api.get('/api/v1/me/sessions', { params: { query: { limit: 100 } } })).data;
    this.onChange();
  }

  private async loadDevices(): Promise<void> {
    const isSettled = await this.browserPush.settled();
    const devices = await this.api.get('/api/v1/me/devices');
    this.push = await this.browserPush.view(devices);
    this.pushKey = devices.web_push_public_key;
    this.devices = devices.data;
    this.onChange();
    // A slow push service or server: the look may renew the subscription, or end it. If this fails, the list stays.
    if (!isSettled)
      void this.browserPush
        .looked()
        .then(() => this.loadDevices())
        .catch(() => undefined);
  }
}
