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
