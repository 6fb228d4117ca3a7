import { html, type TemplateResult } from 'lit';
import { chart } from '../../design/chart.js';
import type { BackupWords } from '../../words/console/backups.js';
import * as chartWords from '../../words/console/chart.js';
import { type ConsoleContext, wordsIn } from '../context.js';
import type { Sizes } from './backup-state.js';

/** The sizes of stored backups over time, as a chart and as a table. */
export function sizesSection(
  { format, locale, zone }: ConsoleContext,
  words: BackupWords,
  sizes: Sizes,
): TemplateResult {
  const all = sizes.map(({ size }) => size);
  const summary = words.sizes_summary(
    format.number(sizes.length),
    format.bytes(Math.min(...all)),
    format.bytes(Math.max(...all)),
  );
  // One point does not make a line.
  if (sizes.length < 2)
    return html`<section>
      <h2>${words.sizes}</h2>
      <p class="note">${sizes.length === 0 ? words.no_sizes : summary}</p>
    </section>`;
  return html`<section>
    <h2>${words.sizes}</h2>
    <div class="card">
      ${chart({
        kind: 'lines',
        caption: summary,
        times: sizes.map(({ at }) => at),
        series: [{ label: words.size, tone: 'info', values: all }],
        value: (size) => format.bytes(size),
        time: (at) => format.full(new Date(at).toISOString()),
        locale,
        zone,
        words: { ...wordsIn(locale, chartWords), table: words.sizes_table },
      })}
    </div>
  </section>`;
}
