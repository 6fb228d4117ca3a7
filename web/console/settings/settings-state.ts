import type { ApiClient } from '../../client/api-client.js';
import type { components } from '../../client/api.js';
import { RequestError } from '../../client/rest.js';
import { differences, merged } from './merged.js';

export type Settings = components['schemas']['TenantSettingsDocument'];
export type EffectivePreference = components['schemas']['EffectivePreference'];
type Choice = components['schemas']['TenantPreference'];

/** The key of a choice. */
export const choiceKey = ({ kind, channel }: Pick<EffectivePreference, 'kind' | 'channel'>): string =>
  `${kind} ${channel}`;

/** The settings and default preferences of the tenant: loads them, keeps what a person changes, and saves it. */
export class SettingsState {
  phase: 'loading' | 'ready' | 'failed' = 'loading';
  fault: unknown = null;
  draft: Settings | null = null;
  preferences: readonly EffectivePreference[] = [];
  isSaving = false;
  /** Counts up where fields must show the draft again, also those with an invalid text. */
  version = 0;
  /** Fields with a text that is no value, by pointer. Nothing is saved while there are some. */
  private readonly invalid = new Set<string>();
  /** Fields whose value the server has refused. */
  private readonly refused = new Set<string>();
  private base: Settings | null = null;
  /** Changed choices; null: the kind's default. */
  private readonly choices = new Map<string, boolean | null>();
  onChange: () => void = () => undefined;

  constructor(private readonly api: ApiClient) {}

  async load(): Promise<void> {
    try {
      const [settings, { preferences }] = await Promise.all([
        this.api.get('/api/v1/tenant/settings'),
        this.api.get('/api/v1/tenant/preferences'),
      ]);
      this.take(settings, preferences);
      this.phase = 'ready';
    } catch (error) {
      this.fault = error;
      this.phase = 'failed';
    }
    this.onChange();
  }

  get changes(): number {
    const { base, draft } = this;
    const fields = base === null || draft === null ? 0 : differences(base, draft);
    return fields + this.choices.size;
  }

  /** Also while a field has an invalid text, which is not in the draft. */
  get isDirty(): boolean {
    return this.changes > 0 || this.invalid.size > 0;
  }

  /** Changes the draft. */
  change(change: (draft: Settings) => Settings): void {
    if (this.draft === null) return;
    this.draft = change(this.draft);
    this.onChange();
  }

  /** What a person types into a field. @param isValid whether it is a value, which is then in the draft */
  mark(pointer: string, isValid: boolean): void {
    if (isValid) this.invalid.delete(pointer);
    else this.invalid.add(pointer);
    for (const one of this.refused) if (isWithin(pointer, one)) this.refused.delete(one);
    this.onChange();
  }

  hasFault(pointer: string): boolean {
    return this.invalid.has(pointer) || [...this.refused].some((one) => isWithin(pointer, one));
  }

  get isValid(): boolean {
    return this.invalid.size === 0 && this.refused.size === 0;
  }

  /** The choice of a kind on a channel: true, false, or null for the kind's default. */
  choiceOf(preference: EffectivePreference): boolean | null {
    return this.choices.has(choiceKey(preference))
      ? (this.choices.get(choiceKey(preference)) ?? null)
      : storedChoice(preference);
  }

  choose(preference: EffectivePreference, choice: boolean | null): void {
    if (choice === storedChoice(preference)) this.choices.delete(choiceKey(preference));
    else this.choices.set(choiceKey(preference), choice);
    this.onChange();
  }

  discard(): void {
    if (this.base !== null) this.take(this.base, this.preferences);
    this.onChange();
  }

  /**
   * Saves what was changed, over what is stored now. A double click saves once.
   * @returns whether it is saved. @throws RequestError for all but refused fields, see `hasFault`
   */
  async save(): Promise<boolean> {
    const { base, draft } = this;
    if (this.isSaving || base === null || draft === null || this.invalid.size > 0) return false;
    this.isSaving = true;
    this.refused.clear();
    this.onChange();
    try {
      if (differences(base, draft) > 0) {
        const stored = await this.api.get('/api/v1/tenant/settings');
        const settings = await this.api.put('/api/v1/tenant/settings', { body: merged(base, draft, stored) });
        // Typing goes on while the server saves.
        this.draft = merged(draft, this.draft ?? draft, settings);
        this.base = settings;
      }
      if (this.choices.size > 0) await this.savePreferences();
      if (!this.isDirty) this.version += 1;
      return true;
    } catch (error) {
      const faults = error instanceof RequestError ? (error.problem?.errors ?? []) : [];
      if (faults.length === 0) throw error;
      for (const { pointer } of faults) this.refused.add(pointer);
      return false;
    } finally {
      this.isSaving = false;
      this.onChange();
    }
  }

  private async savePreferences(): Promise<void> {
    const stored = await this.api.get('/api/v1/tenant/preferences');
    const preferences = stored.preferences.flatMap((preference): Choice[] => {
      const { kind, channel, locked } = preference;
      const key = choiceKey(preference);
      const enabled = this.choices.has(key) ? this.choices.get(key) : storedChoice(preference);
      return locked || enabled == null ? [] : [{ kind: kind as Choice['kind'], channel, enabled }];
    });
    const saved = await this.api.put('/api/v1/tenant/preferences', { body: { preferences } });
    this.preferences = saved.preferences;
    for (const { kind, channel, enabled } of preferences)
      if (this.choices.get(`${kind} ${channel}`) === enabled) this.choices.delete(`${kind} ${channel}`);
    for (const [key, choice] of this.choices) if (choice === null) this.choices.delete(key);
  }

  private take(settings: Settings, preferences: readonly EffectivePreference[]): void {
    Object.assign(this, { base: settings, draft: settings, preferences });
    this.choices.clear();
    this.invalid.clear();
    this.refused.clear();
    this.version += 1;
  }
}

/** `/stages` contains `/stages/tasks/0`. */
function isWithin(pointer: string, other: string): boolean {
  return other === pointer || other.startsWith(`${pointer}/`);
}

function storedChoice({ source, enabled }: EffectivePreference): boolean | null {
  return source === 'tenant' ? enabled : null;
}
