import { html, nothing, type TemplateResult } from 'lit';
import { ago } from '../../design/time.js';
import type { DueItemWords } from '../../words/console/due-items.js';
import type { ConsoleContext } from '../context.js';
import { type DueItem, endedAt, type Kind, OWN_FIELDS } from './due-item-api.js';
import { stateBadge } from './item-cells.js';
import type { Person } from './people.js';

export interface ItemView {
  context: ConsoleContext;
  words: DueItemWords;
  kind: Kind;
  item: DueItem;
  people: readonly Person[];
}

/** Everything about an item. */
export function itemFacts({ context, words, kind, item, people }: ItemView): TemplateResult {
  const { format } = context;
  const ended = endedAt(item);
  const person = people.find(({ id }) => id === item.responsible_id)?.name;
  const own = OWN_FIELDS[kind].map((field): [string, unknown] => [
    words.form[field],
    ownFact(context, item, field),
  ]);
  const facts: [string, unknown][] = [
    [words.columns.state, stateBadge(kind, item, format, words)],
    [
      words.form.due_on,
      html`<time datetime=${item.due_on}>${format.longDate(item.due_on)}</time>
        ${ended === null ? html`<span class="note">(${format.days(item.due_on)})</span>` : nothing}`,
    ],
    ...(ended === null ? [] : ([[words.detail.ended, ago(format, ended)]] as [string, unknown][])),
    [
      words.form.client_name,
      item.client_name === null
        ? null
        : html`<a
            href="/due-items?${new URLSearchParams({ kind, open: '', client_name: item.client_name }).toString()}"
            >${item.client_name}</a
          >`,
    ],
    [
      words.form.responsible_id,
      item.responsible_id === null ? words.detail.admins : (person ?? words.detail.none),
    ],
    ...own,
    [words.form.external_id, item.external_id],
    [
      words.form.description,
      item.description === null ? null : html`<p class="text">${item.description}</p>`,
    ],
    [words.detail.created, ago(format, item.created_at)],
    [words.detail.updated, ago(format, item.updated_at)],
  ];
  return html`<dl class="facts">
    ${facts.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value ?? words.detail.none}</dd>`,
    )}
  </dl>`;
}

function ownFact(context: ConsoleContext, item: DueItem, field: keyof DueItem): string | null {
  if (field === 'amount_cents' && item.amount_cents != null) {
    return new Intl.NumberFormat(context.locale, {
      style: 'currency',
      currency: item.currency ?? 'EUR',
    }).format(item.amount_cents / 100);
  }
  const value = item[field];
  return value == null ? null : String(value);
}
