import { html, nothing, type TemplateResult } from 'lit';
import { badge, type Tone } from '../../design/badge.js';
import type { Formats } from '../../design/formats.js';
import * as deliveryWords from '../../words/console/deliveries.js';
import { kindName } from '../../words/console/kinds.js';
import type { PreviewWords } from '../../words/console/preview.js';
import { type ConsoleContext, wordsIn } from '../context.js';
import { itemUrl } from '../item-links.js';
import type { Column } from '../list/table.js';
import { stateBadge, wordOf } from '../notifications/delivery-view.js';
import { type Entry, nameOf, shownColumns } from './preview-state.js';

const TONES: Readonly<Record<Entry['outcome'], Tone>> = {
  leaves: 'good',
  waits: 'waiting',
  not_sent: 'neutral',
  inbox: 'info',
};

/** The columns of the messages of a day. @param compared with what ran */
export function previewColumns(
  context: ConsoleContext,
  words: PreviewWords,
  compared: boolean,
): Column<Entry>[] {
  const { format, locale, me } = context;
  const codes = wordsIn(locale, deliveryWords);
  const { columns } = words;
  const isLinked = me.role === 'admin';
  const channelOf = ({ channel }: Entry) =>
    channel === null ? words.no_channel : wordOf(codes.channels, channel);
  const checkedAt = ({ slot, at }: Entry) =>
    slot === null ? `${format.time(at)}, ${words.manual}` : format.time(at);
  return shownColumns<Entry>([
    {
      label: columns.what,
      kind: 'main',
      cell: (entry) => what(entry, words, { locale, isLinked }),
      text: ({ kind, title }) => `${kindName(locale, kind)}: ${title}`,
    },
    {
      label: columns.person,
      cell: (entry) => person(entry, words, isLinked),
      text: (entry) => nameOf(entry, words.nobody),
    },
    {
      label: columns.channel,
      cell: (entry) => html`<span class="when">${channelOf(entry)}</span>`,
      text: channelOf,
    },
    {
      label: columns.checked,
      cell: (entry) => html`<span class="when">${checkedAt(entry)}</span>`,
      text: checkedAt,
    },
    {
      label: columns.outcome,
      cell: (entry) => outcome(entry, words, { format, isOperator: me.role === 'operator' }),
      text: ({ outcome: code, reason_text, previewed }) =>
        previewed
          ? [wordOf(words.outcomes, code), reason_text].filter((text) => text !== null).join(': ')
          : words.not_previewed,
    },
    {
      label: columns.ran,
      isShown: compared,
      cell: ({ ran }) =>
        ran === null
          ? html`<span class="none">${words.not_ran}</span>`
          : html`<span class="two-lines"
              ><a href=${isLinked ? `/notifications/${ran.notification_id}` : nothing}
                >${
                  ran.state === null
                    ? badge('info', wordOf(words.outcomes, 'inbox'))
                    : stateBadge(codes, ran.state)
                }</a
              >${ran.sent_at === null ? nothing : html`<small>${format.full(ran.sent_at)}</small>`}</span
            >`,
      text: ({ ran }) =>
        ran === null
          ? words.not_ran
          : ran.state === null
            ? wordOf(words.outcomes, 'inbox')
            : wordOf(codes.states, ran.state),
    },
  ]);
}

function what(
  { title, kind, item, stage }: Entry,
  words: PreviewWords,
  { locale, isLinked }: { locale: 'fr' | 'en'; isLinked: boolean },
): TemplateResult {
  const url = item === null || !isLinked ? null : itemUrl(item.type, item.id);
  const about = kindName(locale, kind);
  return html`<span class="two-lines"
    >${url === null ? html`<span dir="auto">${title}</span>` : html`<a href=${url} dir="auto">${title}</a>`}<small
      >${stage === null ? about : `${about} · ${words.stage(stage)}`}</small
    ></span
  >`;
}

function person(entry: Entry, words: PreviewWords, isLinked: boolean): TemplateResult {
  const name = nameOf(entry, words.nobody);
  return entry.user_id !== null && isLinked
    ? html`<a href=${`/people/${entry.user_id}`} dir="auto">${name}</a>`
    : html`<span dir="auto">${name}</span>`;
}

function outcome(
  entry: Entry,
  words: PreviewWords,
  { format, isOperator }: { format: Formats; isOperator: boolean },
): TemplateResult {
  if (!entry.previewed) return html`<span class="none">${words.not_previewed}</span>`;
  const { outcome: code, reason_text: reason, setting, message_size: size, leaves_at } = entry;
  const together = size > 1 && code !== 'not_sent' ? words.together(size - 1) : '';
  // The pages of operators are not for admins, nor the other way round.
  const isLinked = setting !== null && setting.startsWith('/operator') === isOperator;
  const until = code === 'waits' && leaves_at !== null ? `, ${words.until(format.full(leaves_at))}` : '';
  return html`<span class="two-lines"
    >${badge(TONES[code], wordOf(words.outcomes, code))}${
      reason === null || code === 'inbox'
        ? nothing
        : html`<small>${isLinked ? html`<a href=${setting}>${reason}</a>` : reason}${until}</small>`
    }${together === '' ? nothing : html`<small>${together}</small>`}</span
  >`;
}
