import type { components } from '../../client/api.js';

type Schemas = components['schemas'];
export type Preferences = Schemas['PreferencesView'];
export type EffectivePreference = Schemas['EffectivePreference'];

export interface Hours {
  days: number[];
  from: string;
  to: string;
}

/** What a person has typed about their preferences; saved as a whole. */
export interface PreferencesDraft {
  paused_until: string;
  quiet_from: string;
  quiet_to: string;
  receiving: readonly Hours[];
  bundling: '' | 'together' | 'single';
  /** By kind and channel; a pair without one follows the default. */
  choices: ReadonlyMap<string, boolean>;
}

const MAX_PAUSE_MS = 366 * 86_400_000;

export const pairOf = ({ kind, channel }: Pick<EffectivePreference, 'kind' | 'channel'>): string =>
  `${kind} ${channel}`;

export function draftOf(view: Preferences): PreferencesDraft {
  const { paused_until, quiet_hours, receiving_hours, bundling, preferences } = view;
  const own = preferences.filter(({ source, locked }) => source === 'user' && !locked);
  return {
    paused_until: paused_until ?? '',
    quiet_from: quiet_hours?.from ?? '',
    quiet_to: quiet_hours?.to ?? '',
    receiving: receiving_hours ?? [],
    bundling: bundling ?? '',
    choices: new Map(own.map((one) => [pairOf(one), one.enabled])),
  };
}

/** The names of fields that are not valid. @param today civil, in the zone of the page */
export function faultsInDraft(draft: PreferencesDraft, today: string): Set<string> {
  const { paused_until, quiet_from, quiet_to, receiving } = draft;
  const faults = new Set<string>();
  if ((quiet_from === '') !== (quiet_to === '') || (quiet_from !== '' && quiet_from === quiet_to))
    faults.add('quiet_hours');
  if (receiving.some(({ days, from, to }) => days.length === 0 || from === '' || to === '' || from === to))
    faults.add('receiving_hours');
  const isTooFar = Date.parse(paused_until) - Date.parse(today) > MAX_PAUSE_MS;
  if (paused_until !== '' && (paused_until <= today || isTooFar)) faults.add('paused_until');
  return faults;
}

/** The body of a request. */
export function bodyOf(draft: PreferencesDraft, view: Preferences): Schemas['Preferences'] {
  const { paused_until, quiet_from, quiet_to, receiving, bundling, choices } = draft;
  return {
    paused_until: paused_until === '' ? null : paused_until,
    quiet_hours: quiet_from === '' ? null : { from: quiet_from, to: quiet_to },
    receiving_hours: receiving.length === 0 ? null : [...receiving],
    bundling: bundling === '' ? null : bundling,
    preferences: view.preferences.flatMap((one) => {
      const enabled = choices.get(pairOf(one));
      return one.locked || enabled === undefined
        ? []
        : [{ kind: one.kind as Schemas['Preference']['kind'], channel: one.channel, enabled }];
    }),
  };
}
