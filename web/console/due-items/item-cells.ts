import { html, type TemplateResult } from 'lit';
import { badge } from '../../design/badge.js';
import type { Formats } from '../../design/formats.js';
import type { DueItemWords } from '../../words/console/due-items.js';
import { type DueItem, endedAt, type Kind } from './due-item-api.js';

export function itemUrl(kind: Kind, id: string): string {
  return `/due-items/${kind}/${id}`;
}

/** Its state in a word: ended, late, today, open. */
export function stateWord(kind: Kind, item: DueItem, format: Formats, words: DueItemWords): string {
  if (endedAt(item) !== null) return words.ended[kind];
  const days = format.daysUntil(item.due_on);
  if (days < 0) return words.late;
  if (days === 0) return words.today;
  return kind === 'documents' ? words.awaited : words.open;
}

export function stateBadge(kind: Kind, item: DueItem, format: Formats, words: DueItemWords): TemplateResult {
  const days = format.daysUntil(item.due_on);
  const tone =
    endedAt(item) !== null ? 'good' : days < 0 ? 'critical' : days === 0 ? 'warning' : ('waiting' as const);
  return badge(tone, stateWord(kind, item, format, words));
}

/** The date, and how far away it is. */
export function dueCell(item: DueItem, format: Formats): TemplateResult {
  return html`<span class="due"
    ><time datetime=${item.due_on} title=${format.longDate(item.due_on)}>${format.date(item.due_on)}</time>
    ${endedAt(item) === null ? html`<small>${format.days(item.due_on)}</small>` : ''}</span
  >`;
}
