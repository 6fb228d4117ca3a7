import { EN, type Words } from '../words/en.js';
import type { ExtraWords } from '../words/extras-en.js';
import { FR } from '../words/fr.js';

/** Words that replace those of the language. */
export type Messages = Partial<Words & ExtraWords>;

/** The locale of times: a language without words has English ones, and then English times. */
export function localeOf(element: HTMLElement): string {
  const asked = element.lang || element.closest('[lang]')?.getAttribute('lang') || navigator.language;
  if (asked.toLowerCase().startsWith('fr')) return 'fr';
  return /^en-[a-z]{2}$/i.test(asked) ? asked : 'en';
}

export function wordsOf(locale: string, messages: Messages): Words {
  const words = locale === 'fr' ? FR : EN;
  return {
    ...words,
    ...messages,
    kinds: { ...words.kinds, ...messages.kinds },
    tabs: { ...words.tabs, ...messages.tabs },
  };
}
