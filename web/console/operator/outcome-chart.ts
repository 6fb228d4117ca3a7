import type { TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import { chart } from '../../design/chart.js';
import * as chartWords from '../../words/console/chart.js';
import type { OperatorWords } from '../../words/console/operator.js';
import { type ConsoleContext, wordsIn } from '../context.js';

type Activity = components['schemas']['Activity'];
export type Channel = Activity['series'][number]['channel'];

const OUTCOMES = [
  ['sent', 'good'],
  ['failed', 'critical'],
  ['unknown', 'warning'],
] as const;

/** How many deliveries ended in the series. @param channel empty: all */
export function endedIn({ series }: Activity, channel: string): number {
  return series
    .filter((one) => channel === '' || one.channel === channel)
    .flatMap(({ sent, failed, unknown }) => [...sent, ...failed, ...unknown])
    .reduce((sum, n) => sum + n, 0);
}

/** Deliveries by outcome over time. @param channel empty: all */
export function outcomeChart(
  { format, locale, zone }: ConsoleContext,
  words: OperatorWords,
  { series, from, step_seconds: step }: Activity,
  channel = '',
): TemplateResult {
  const chosen = series.filter((one) => channel === '' || one.channel === channel);
  const length = series[0]?.sent.length ?? 0;
  const start = Date.parse(from);
  const name = chosen.length === 1 && chosen[0] !== undefined ? words.channels[chosen[0].channel] : null;
  return chart({
    kind: 'bars',
    caption: name === null ? words.chart : `${words.chart} · ${name}`,
    times: Array.from({ length }, (_none, place) => start + place * step * 1_000),
    series: OUTCOMES.map(([outcome, tone]) => ({
      label: words[outcome],
      tone,
      values: Array.from({ length }, (_none, place) =>
        chosen.reduce((sum, one) => sum + (one[outcome][place] ?? 0), 0),
      ),
    })),
    value: (value) => format.number(value),
    time: (ms) => format.full(new Date(ms).toISOString()),
    locale,
    zone,
    words: wordsIn(locale, chartWords),
  });
}
