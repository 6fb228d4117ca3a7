/**
 * The languages that Vigie writes in. The words of each are in `templates/<locale>/`: a new locale is that folder
 * and its name here. Written strings: they are stored.
 */
export const LOCALES = ['fr', 'en'] as const;
export type Locale = (typeof LOCALES)[number];
