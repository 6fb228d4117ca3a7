import * as deliveries from '../../words/console/deliveries.js';
import * as today from '../../words/console/today.js';
import { type Locale, wordsIn } from '../context.js';

/** The words for states and reasons of deliveries, which other pages have too. */
export function deliveryWords(locale: Locale): deliveries.DeliveryWords {
  return wordsIn(locale, deliveries);
}

/** The words for jobs and states of runs, which the first page has too. */
export function runWords(locale: Locale): Pick<today.TodayWords, 'jobs' | 'run_states' | 'counts'> {
  return wordsIn(locale, today);
}
