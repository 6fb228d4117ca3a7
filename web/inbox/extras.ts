import { html, type TemplateResult } from 'lit';
import type { NotificationTrace, Rest } from '../client/rest.js';
import type { Notification } from '../client/types.js';
import type { Times } from '../design/times.js';
import type { Words } from '../words/en.js';
import { EXTRAS_EN, type ExtraWords } from '../words/extras-en.js';
import { EXTRAS_FR } from '../words/extras-fr.js';
import './preferences-form.js';
import { snoozeMenu } from './snooze-menu.js';

type AllWords = Words & ExtraWords;

/** `words` has those of the page, which may replace any. */
function allWords(words: Words): AllWords {
  return { ...(words.language === 'fr' ? EXTRAS_FR : EXTRAS_EN), ...words };
}

/** @param now the server's time, in ms */
export function snoozeTemplate(
  words: Words,
  times: Times,
  now: number,
  choose: (until: Date) => void,
): TemplateResult {
  return snoozeMenu(allWords(words), times, now, choose);
}

/**
 * Why a person got a notification: who they are to it, their preferences, and what was sent on which channel.
 * @throws RequestError
 */
export async function whyTemplate(
  rest: Rest,
  { id, kind }: Notification,
  shownWords: Words,
  times: Times,
): Promise<TemplateResult> {
  const words = allWords(shownWords);
  const [trace, { preferences }] = await Promise.all([rest.trace(id), rest.preferences()]);
  const name = words.kinds[kind] ?? kind;
  const isOptional = preferences.some((preference) => preference.kind === kind && !preference.locked);
  const deliveries = trace.deliveries.map((delivery) => deliveryLine(delivery, words, times));
  const lines = [
    words.audiences[trace.audience] ?? '',
    isOptional ? words.why_kind(name) : words.why_required(name),
    ...(deliveries.length > 0 ? deliveries : [words.why_inbox_only]),
    ...trace.not_used.map(({ channel, text }) => notSent(words, channel, text)),
  ];
  return html`${lines.filter((line) => line !== '').map((line) => html`<p>${line}</p>`)}`;
}

/** The last step says what became of it, in the server's words. */
function deliveryLine(
  { channel, status, sent_at, due_at, steps }: NotificationTrace['deliveries'][number],
  words: AllWords,
  times: Times,
): string {
  const label = words.channels[channel] ?? channel;
  if (sent_at !== null) return words.why_sent(label, times.full(sent_at));
  const text = steps.at(-1)?.text ?? '';
  return status === 'pending'
    ? `${words.why_waits(label, times.full(due_at))} (${text})`
    : notSent(words, channel, text);
}

function notSent(words: AllWords, channel: string, text: string): string {
  return `${words.why_not_sent(words.channels[channel] ?? channel)} (${text})`;
}

/**
 * The form of a person's preferences.
 * @param say reports whether they were saved.
 * @throws RequestError
 */
export async function preferencesTemplate(
  rest: Rest,
  words: Words,
  say: (isSaved: boolean) => void,
): Promise<TemplateResult> {
  return html`<vigie-preferences
    .preferences=${await rest.preferences()}
    .rest=${rest}
    .words=${allWords(words)}
    .say=${say}
  ></vigie-preferences>`;
}
