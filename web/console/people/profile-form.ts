import { html, nothing, type TemplateResult } from 'lit';
import { RequestError } from '../../client/rest.js';
import type { PeopleWords } from '../../words/console/people.js';
import type { ConsoleContext } from '../context.js';
import { choiceField, type Field, textField } from '../settings/fields.js';

/** What a person is called, and how they are reached. Empty texts are none. */
export interface Profile {
  name: string;
  email: string;
  role: 'member' | 'admin';
  phone: string;
  locale: '' | 'fr' | 'en';
  time_zone: string;
}

export const NO_PROFILE: Profile = {
  name: '',
  email: '',
  role: 'member',
  phone: '',
  locale: '',
  time_zone: '',
};
const MAX_NAME = 200;
const MAX_EMAIL = 254;

/** The texts of faults, by field name. */
export type Faults = ReadonlyMap<string, string>;

/** The fields of a form that the server refused, in words; null: it refused something else. */
export function faultsOf(error: unknown, words: PeopleWords): Faults | null {
  if (!(error instanceof RequestError)) return null;
  const { code, problem } = error;
  const errors = problem?.errors ?? [];
  if (errors.length === 0) return null;
  return new Map(
    errors.map(({ pointer }) => {
      const name = pointer.split('/')[1] ?? '';
      return [name, code === 'conflict' && name === 'email' ? words.email_taken : (words.faults[name] ?? '')];
    }),
  );
}

/** Faults that can be found before it is sent. */
export function faultsIn({ name, email, time_zone }: Profile, words: PeopleWords): Faults {
  const faults = new Map<string, string>();
  const wrong = (field: string) => faults.set(field, words.faults[field] ?? '');
  if (name.trim() === '') wrong('name');
  if (!/^\S+@\S+$/.test(email.trim())) wrong('email');
  if (time_zone !== '' && !Intl.supportedValuesOf('timeZone').includes(time_zone) && time_zone !== 'UTC')
    wrong('time_zone');
  return faults;
}

/** The body of a request. */
export function profileBody({ name, phone, locale, time_zone }: Profile) {
  return {
    name: name.trim(),
    phone: phone.trim() === '' ? null : phone.trim(),
    locale: locale === '' ? null : locale,
    time_zone: time_zone === '' ? null : time_zone,
  };
}

export interface ProfileView {
  context: ConsoleContext;
  words: PeopleWords;
  profile: Profile;
  faults: Faults;
  /** Whether address and role can be changed. */
  isAdmin: boolean;
  emailHint?: string;
  set: (changes: Partial<Profile>) => void;
}

export function profileFields(view: ProfileView): TemplateResult {
  const { words, profile, faults, isAdmin, set } = view;
  const field = (name: keyof Profile, label: string, hint?: string): Field => ({
    name,
    label,
    rule: faults.get(name) ?? '',
    isInvalid: faults.has(name),
    ...(hint === undefined ? {} : { hint }),
  });
  return html`${textField(field('name', words.name), profile.name, (name) => set({ name }), {
      maxlength: MAX_NAME,
      isRequired: true,
    })}
    ${
      isAdmin
        ? html`${textField(
            field('email', words.email, view.emailHint),
            profile.email,
            (email) => set({ email }),
            {
              maxlength: MAX_EMAIL,
              isRequired: true,
            },
          )}
          ${choiceField(
            { name: 'role', label: words.role },
            profile.role,
            [
              ['member', words.roles.member ?? ''],
              ['admin', words.roles.admin ?? ''],
            ],
            (role) => set({ role }),
          )}`
        : nothing
    }
    ${textField(field('phone', words.phone, words.phone_hint), profile.phone, (phone) => set({ phone }), {
      maxlength: 40,
    })}
    ${choiceField(
      { name: 'locale', label: words.locale },
      profile.locale,
      [
        ['', words.locales[''] ?? ''],
        ['fr', words.locales.fr ?? ''],
        ['en', words.locales.en ?? ''],
      ],
      (locale) => set({ locale }),
    )}
    ${textField(
      field('time_zone', words.zone, words.zone_hint),
      profile.time_zone,
      (time_zone) => set({ time_zone }),
      {
        maxlength: 60,
        list: 'zones',
      },
    )}
    <datalist id="zones">
      ${Intl.supportedValuesOf('timeZone').map((zone) => html`<option value=${zone}></option>`)}
    </datalist>`;
}
