import { html, nothing, type TemplateResult } from 'lit';
import { ago } from '../../design/time.js';
import * as deliveryWords from '../../words/console/deliveries.js';
import type { PeopleWords } from '../../words/console/people.js';
import { type ConsoleContext, wordsIn } from '../context.js';
import { clientName } from './client-name.js';
import { devicesPart } from './devices-part.js';
import type { PersonState } from './person-state.js';

const CHANNELS = ['email', 'sms', 'push'] as const;

export interface AccessView {
  context: ConsoleContext;
  words: PeopleWords;
  state: PersonState;
  /** Notifications of tests, by channel. */
  tests: ReadonlyMap<string, string>;
  link: { url: string; expires_at: string } | null;
  /** Runs one act at a time. */
  run: (act: () => Promise<void>) => void;
  onTest: (channel: (typeof CHANNELS)[number]) => void;
  onLink: () => void;
}

/** A message on each channel, now. */
export function testSection(view: AccessView): TemplateResult {
  const { words, context, state, tests, onTest } = view;
  const { channels } = wordsIn(context.locale, deliveryWords);
  return html`<section class="card">
    <h2>${words.test}</h2>
    <p class="note">${words.test_hint}</p>
    <ul class="person-acts">
      ${CHANNELS.map((channel) => {
        const isMissing = channel === 'sms' && state.person?.phone === null;
        const sent = tests.get(channel);
        return html`<li>
          <button
            type="button"
            class="outlined"
            ?disabled=${isMissing}
            aria-label=${words.test_on(channels[channel] ?? channel)}
            @click=${() => onTest(channel)}
          >
            ${channels[channel]}
          </button>
          ${isMissing ? html`<small>${words.no_phone}</small>` : nothing}
          ${sent === undefined ? nothing : html`<a href=${`/notifications/${sent}`}>${words.test_open}</a>`}
        </li>`;
      })}
    </ul>
  </section>`;
}

/** How a person gets in: the link to a first password, sessions, devices. */
export function accessSection(view: AccessView): TemplateResult {
  const { words, context, state, run } = view;
  const { isSelf, person } = state;
  const endAll = async () => {
    const isConfirmed =
      isSelf ||
      (await context.confirm({
        title: words.end_all_title(person?.name ?? ''),
        text: words.end_all_text,
        confirm: words.end_all,
        isDangerous: true,
      }));
    if (!isConfirmed) return;
    await state.endSessions();
    context.toast({ text: words.ended, tone: 'good' });
  };
  const ending =
    isSelf && state.sessions.length < 2
      ? nothing
      : html`<p>
          <button type="button" class="outlined" @click=${() => run(endAll)}>
            ${isSelf ? words.end_others : words.end_all}
          </button>
        </p>`;
  return html`<section class="card">
    <h2>${words.access}</h2>
    ${person?.active === false && state.isAdmin ? passwordLink(view) : nothing}
    ${isSelf ? html`${sessions(view)} ${ending} ${devicesPart(view)}` : ending}
  </section>`;
}

function passwordLink({ words, context, link, onLink }: AccessView): TemplateResult {
  return html`<h3>${words.password}</h3>
    ${
      link === null
        ? html`<p class="note">${words.password_hint}</p>
            <p>
              <button type="button" class="outlined" @click=${onLink}>${words.password_create}</button>
            </p>`
        : html`<p>
              <input
                class="link-value"
                readonly
                aria-label=${words.password}
                .value=${link.url}
                @focus=${(event: Event) => (event.target as HTMLInputElement).select()}
              />
            </p>
            <p class="note">${words.password_until(context.format.full(link.expires_at))}</p>`
    }`;
}

function sessions({ words, context, state, run }: AccessView): TemplateResult {
  return html`<h3>${words.sessions}</h3>
    <ul class="person-acts">
      ${state.sessions.map(({ id, user_agent, last_used_at, current }) => {
        const client = user_agent === null ? words.unknown_client : clientName(user_agent);
        return html`<li>
          <span class="name"
            ><span dir="auto" title=${user_agent ?? nothing}>${client}</span
            ><small
              >${current ? html`<strong>${words.this_session}</strong>` : html`${words.session_used} ${ago(context.format, last_used_at)}`}</small
            ></span
          >
          ${
            current
              ? nothing
              : html`<button
                  type="button"
                  class="outlined"
                  aria-label=${words.end_session(client)}
                  @click=${() => run(() => state.endSession(id))}
                >
                  ${words.end}
                </button>`
          }
        </li>`;
      })}
    </ul>`;
}
