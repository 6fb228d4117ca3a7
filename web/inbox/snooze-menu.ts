import { html, type TemplateResult } from 'lit';
import { MAX_SNOOZE_DAYS, snoozeTimes } from '../design/snooze-times.js';
import type { Times } from '../design/times.js';
import type { ExtraWords } from '../words/extras-en.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/**
 * Until when to snooze: four usual times, or a date.
 * @param now the server's time, in ms
 */
export function snoozeMenu(
  words: ExtraWords,
  times: Times,
  now: number,
  choose: (until: Date) => void,
): TemplateResult {
  const names = {
    hour: words.snooze_hour,
    tonight: words.snooze_tonight,
    tomorrow: words.snooze_tomorrow,
    monday: words.snooze_monday,
  };
  const apply = (event: SubmitEvent) => {
    event.preventDefault();
    const value = new FormData(event.currentTarget as HTMLFormElement).get('until');
    const until = new Date(typeof value === 'string' ? value : '');
    if (!Number.isNaN(until.getTime())) choose(until);
  };
  return html`${snoozeTimes(now).map(
      ({ name, at }) =>
        html`<button @click=${() => choose(at)}>
          ${names[name]}<span
            >${name !== 'monday' ? times.time(at.toISOString()) : times.full(at.toISOString())}</span
          >
        </button>`,
    )}
    <form @submit=${apply}>
      <label for="until">${words.snooze_date}</label>
      <div class="date">
        <input
          id="until"
          name="until"
          type="datetime-local"
          required
          min=${localTime(now + MINUTE)}
          max=${localTime(now + MAX_SNOOZE_DAYS * DAY)}
        />
        <button class="outlined">${words.snooze_apply}</button>
      </div>
    </form>`;
}

/** As `datetime-local` wants it, in this machine's zone. */
function localTime(at: number): string {
  return new Date(at - new Date(at).getTimezoneOffset() * MINUTE).toISOString().slice(0, 16);
}
