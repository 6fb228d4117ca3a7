import { clientName } from '../../../web/console/people/client-name.js';
import {
  bodyOf,
  draftOf,
  faultsInDraft,
  type Preferences,
} from '../../../web/console/people/preferences-draft.js';

const TODAY = '2026-03-30';
const days = [1, 2, 3, 4, 5];

const preferences = (receiving_hours: Preferences['receiving_hours']): Preferences => ({
  paused_until: null,
  quiet_hours: null,
  receiving_hours,
  bundling: null,
  preferences: [],
});

describe('V26: the form of a person’s preferences', () => {
  it.each([
    [{ days, from: '08:00', to: '19:00' }],
    // Until the next morning, and until midnight: both are set over the API.
    [{ days, from: '22:00', to: '06:00' }],
    [{ days, from: '00:00', to: '24:00' }],
  ])('saves receiving hours as they are stored: %j', (hours) => {
    const draft = draftOf(preferences([hours]));
    expect([...faultsInDraft(draft, TODAY)]).toEqual([]);
    expect(bodyOf(draft, preferences([hours])).receiving_hours).toEqual([hours]);
  });

  it.each([
    [{ days: [], from: '08:00', to: '19:00' }],
    [{ days, from: '08:00', to: '08:00' }],
    [{ days, from: '', to: '08:00' }],
  ])('refuses receiving hours that are none: %j', (hours) => {
    const draft = draftOf(preferences([hours]));
    expect([...faultsInDraft(draft, TODAY)]).toEqual(['receiving_hours']);
  });
});

it.each([
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox, Windows'],
  [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36',
    'Chrome, Linux',
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36 Edg/150.0',
    'Edge, Windows',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1',
    'Safari, iOS',
  ],
  [
    'Mozilla/5.0 (Linux; Android 16; SM-S931B) AppleWebKit/537.36 SamsungBrowser/29.0 Chrome/136.0 Mobile Safari/537.36',
    'Samsung Internet, Android',
  ],
  ['curl/8.5.0', 'curl/8.5.0'],
])('V26: %s is shown as %s', (userAgent, name) => {
  expect(clientName(userAgent)).toBe(name);
});
