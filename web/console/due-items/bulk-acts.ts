import type { DueItemWords } from '../../words/console/due-items.js';
import type { BulkAct } from '../list/bulk-bar.js';
import type { Kind, KindApi } from './due-item-api.js';

/** What can be done with the selected items. @param open of the filter: an act that changes none of them is left out */
export function bulkActs({
  api,
  kind,
  words,
  open,
  onChanged,
}: {
  api: Pick<KindApi, 'endMany' | 'reopenMany'>;
  kind: Kind;
  words: DueItemWords;
  open: string | undefined;
  onChanged: () => void;
}): BulkAct[] {
  const end: BulkAct = {
    label: words.end[kind],
    title: words.bulk.end_title,
    text: words.bulk.end_text,
    done: words.bulk.end_done,
    act: (target) => api.endMany(target).then(onChanged),
  };
  const reopen: BulkAct = {
    label: words.reopen,
    title: words.bulk.reopen_title,
    text: words.bulk.reopen_text,
    done: words.bulk.reopen_done,
    act: (target) => api.reopenMany(target).then(onChanged),
  };
  return open === 'true' ? [end] : open === 'false' ? [reopen] : [end, reopen];
}
