import type { TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import { badge } from '../../design/badge.js';
import type { BackupWords } from '../../words/console/backups.js';
import { type BoardRow, CONDITION_TONES, type Verdict } from './board-rows.js';

type Warning = components['schemas']['BackupEntry']['warnings'][number];

const DOUBTS: readonly Warning[] = ['empty_file', 'shrunk'];

/** The result of a row of the board, in words. */
export function verdictWord({ condition, verdict }: BoardRow, words: BackupWords): string {
  if (condition === 'doubtful') return words.doubtful;
  return condition === 'waiting' ? words.awaited : words.verdicts[verdict];
}

export function verdictOf(row: BoardRow, words: BackupWords): TemplateResult {
  return badge(CONDITION_TONES[row.condition], verdictWord(row, words));
}

/** The result of one backup: a success with warnings is not shown as good. Null: its file is awaited. */
export function resultOf(
  verdict: Verdict | null,
  warnings: readonly Warning[],
  words: BackupWords,
): TemplateResult {
  if (verdict === null) return badge('waiting', words.awaited);
  if (verdict === 'unknown') return badge('neutral', words.verdicts.unknown);
  if (verdict !== 'SUCCESS') return badge('critical', words.verdicts[verdict]);
  const doubt = warnings.find((warning) => DOUBTS.includes(warning));
  return doubt === undefined
    ? badge('good', words.verdicts.SUCCESS)
    : badge('warning', words.warnings[doubt]);
}
