import { html, nothing } from 'lit';
import { plainBars } from '../../design/bars.js';
import type { Formats } from '../../design/formats.js';
import { ago } from '../../design/time.js';
import type { BackupWords } from '../../words/console/backups.js';
import type { Column } from '../list/table.js';
import { type BoardRow, goodIn, tonesOf } from './board-rows.js';
import { verdictOf, verdictWord } from './verdict.js';

/** Below this percentage of the median a size is marked: a tenth makes a backup doubtful. */
const SMALL_PERCENT = 50;
const LARGE_PERCENT = 200;

/** The columns of the board: the age of the last good one first. */
export function boardColumns(words: BackupWords, format: Formats): Column<BoardRow>[] {
  const { columns: label } = words;
  return [
    {
      label: label.age,
      sort: 'age',
      cell: ({ lastGoodAt }) =>
        lastGoodAt === null ? html`<span class="critical">${words.never}</span>` : ago(format, lastGoodAt),
      text: ({ lastGoodAt }) => lastGoodAt ?? '',
    },
    {
      label: label.name,
      sort: 'name',
      kind: 'main',
      cell: (row) =>
        html`<span class="cell-name"
          ><a href=${hrefOf(row)}>${row.database}</a>
          <small
            >${[row.agent, row.company, row.city].join(' · ')}${
              row.jobId === null ? html` · <em>${words.unexpected}</em>` : nothing
            }</small
          ></span
        >`,
      text: (row) => [row.database, row.agent, row.company, row.city].join(' · '),
    },
    {
      label: label.verdict,
      sort: 'verdict',
      cell: (row) => html`<span class="cell-name">${verdictOf(row, words)} ${handling(row, words)}</span>`,
      text: (row) => verdictWord(row, words),
    },
    {
      label: label.results,
      cell: ({ results }) =>
        plainBars(
          tonesOf(results),
          results === ''
            ? words.no_bars
            : words.bars(format.number(goodIn(results)), format.number(results.length)),
        ),
      text: ({ results }) => results,
    },
    {
      label: label.size,
      sort: 'size',
      kind: 'number',
      cell: ({ sizePercent }) =>
        sizePercent === null
          ? '–'
          : html`<span
              class=${sizePercent < SMALL_PERCENT || sizePercent > LARGE_PERCENT ? 'warning' : ''}
              title=${words.size_title}
              >${format.percent(sizePercent)}</span
            >`,
      text: ({ sizePercent }) => (sizePercent === null ? '' : format.percent(sizePercent)),
    },
    {
      label: label.next,
      sort: 'next',
      cell: ({ nextAt }) => (nextAt === null ? '–' : ago(format, nextAt)),
      text: ({ nextAt }) => nextAt ?? '',
    },
  ];
}

function handling({ alertState, handledBy }: BoardRow, words: BackupWords): unknown {
  if (alertState === null || alertState === 'open') return nothing;
  return html`<small>${handledBy === null ? words.states[alertState] : words.handled_by(handledBy)}</small>`;
}

/** The page of a job, or of a database that no job expects. */
function hrefOf({ jobId, agent, database }: BoardRow): string {
  if (jobId !== null) return `/backups/${jobId}`;
  return `/backups/unexpected?${new URLSearchParams({ agent, database }).toString()}`;
}
