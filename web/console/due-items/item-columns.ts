import { html, nothing } from 'lit';
import type { Formats } from '../../design/formats.js';
import type { DueItemWords } from '../../words/console/due-items.js';
import type { Column } from '../list/table.js';
import type { DueItem, Kind } from './due-item-api.js';
import { dueCell, itemUrl, stateBadge, stateWord } from './item-cells.js';

/** The columns of a list of items and of its CSV. */
export function itemColumns({
  kind,
  words,
  format,
  personOf,
  urlOf,
}: {
  kind: Kind;
  words: DueItemWords;
  format: Formats;
  personOf: (id: string | null) => string;
  urlOf: (changes: Readonly<Record<string, string | null>>) => string;
}): Column<DueItem>[] {
  return [
    {
      label: words.columns.due_on,
      sort: 'due_on',
      cell: (item) => dueCell(item, format),
      text: (item) => item.due_on,
    },
    {
      label: words.columns.title,
      sort: 'title',
      kind: 'main',
      cell: (item) =>
        html`<a href=${itemUrl(kind, item.id)}>${item.title}</a>${
            item.category == null ? nothing : html` <small class="tag">${item.category}</small>`
          }`,
      text: (item) => item.title,
    },
    {
      label: words.columns.client,
      sort: 'client_name',
      cell: ({ client_name }) =>
        client_name === null ? '' : html`<a class="plain" href=${urlOf({ client_name })}>${client_name}</a>`,
      text: (item) => item.client_name ?? '',
    },
    {
      label: words.columns.person,
      sort: 'responsible',
      cell: (item) => personOf(item.responsible_id),
      text: (item) => personOf(item.responsible_id),
    },
    {
      label: words.columns.state,
      cell: (item) => stateBadge(kind, item, format, words),
      text: (item) => stateWord(kind, item, format, words),
    },
  ];
}
