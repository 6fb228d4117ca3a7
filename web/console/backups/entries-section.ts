import { html, nothing, type TemplateResult } from 'lit';
import { skeleton } from '../../design/skeleton.js';
import type { BackupWords } from '../../words/console/backups.js';
import type { ConsoleContext } from '../context.js';
import { filterBar } from '../list/filter-bar.js';
import type { ListState } from '../list/list-state.js';
import { periodFilters } from '../list/period-filters.js';
import { failure } from '../page.js';
import type { Entry } from './backup-state.js';
import { entryFacts } from './entry-facts.js';
import { resultOf } from './verdict.js';

/** The API answers nothing else for the filter. */
const VERDICTS = ['SUCCESS', 'FAILED', 'TRANSFER_INTEGRITY_FAILED', 'HASH_MISMATCH', 'MISSING'] as const;

/** The filter of the address as the API takes it: one that it does not know is none. */
export function verdictQuery(name: string | undefined): { verdict?: (typeof VERDICTS)[number] } {
  const verdict = VERDICTS.find((one) => one === name);
  return verdict === undefined ? {} : { verdict };
}

/** Characters of a hash that tell two apart. */
const HASH_SHOWN = 12;

/**
 * The results of a backup, a line each, with everything that is known of it inside.
 * @param opened ids of those whose details are shown
 */
export function entriesSection(
  context: ConsoleContext,
  words: BackupWords,
  list: ListState<Entry>,
  opened: Set<string>,
  onChange: () => void,
): TemplateResult {
  const toggle = (id: string, isOpen: boolean) => {
    if (opened.has(id) === isOpen) return;
    if (isOpen) opened.add(id);
    else opened.delete(id);
    onChange();
  };
  return html`<section>
    <h2>${words.entries}</h2>
    ${filterBar({
      context,
      state: list,
      filters: [
        {
          kind: 'choice',
          name: 'verdict',
          label: words.entry.verdict,
          choices: [
            ['', words.all_results],
            ...VERDICTS.map((verdict) => [verdict, words.verdicts[verdict]] as const),
          ],
        },
        ...periodFilters(context),
      ],
    })}
    ${list.phase === 'loading' && list.rows.length === 0 ? skeleton(context.words.loading, 4) : nothing}
    ${list.fault === null ? nothing : failure(context, list.fault, () => void list.refresh())}
    ${list.phase === 'list' && list.rows.length === 0 ? html`<p class="note">${list.isFiltered ? words.empty_filtered : words.no_entries}</p>` : nothing}
    <ul class="entries" aria-label=${words.entries_caption}>
      ${list.rows.map(
        (entry) =>
          html`<li>
            <details
              ?open=${opened.has(entry.id)}
              @toggle=${(event: Event) => toggle(entry.id, (event.currentTarget as HTMLDetailsElement).open)}
            >
              <summary>${line(context, words, entry)}</summary>
              ${opened.has(entry.id) ? entryFacts(entry, words, context.format) : nothing}
            </details>
          </li>`,
      )}
    </ul>
    ${
      list.hasMore
        ? html`<p class="list-foot">
            <button type="button" class="outlined" @click=${() => void list.more()}>
              ${context.words.list.more}
            </button>
          </p>`
        : nothing
    }
  </section>`;
}

function line({ format }: ConsoleContext, words: BackupWords, entry: Entry): TemplateResult {
  const { entry: label } = words;
  const size = entry.server_size_bytes ?? entry.size_bytes;
  const hash = entry.server_hash_sha256 ?? entry.hash_sha256;
  return html`<span class="entry-line">
    <time datetime=${entry.effective_at}>${format.full(entry.effective_at)}</time>
    ${resultOf(entry.verdict, entry.warnings, words)}
    <span class="number">${size === null ? '–' : format.bytes(size)}</span>
    <span class="file">${entry.staged_file_name ?? label.none}</span>
    <code class="hash"
      ><span class="sr-only">${label.hash}</span>${hash === null ? '' : `${hash.slice(0, HASH_SHOWN)}…`}</code
    >
  </span>`;
}
