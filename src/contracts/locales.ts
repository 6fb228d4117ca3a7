/**
 * The languages of Vigie. The texts of each are in `templates/<locale>/`: a new locale is that folder and its name
 * here. Literal strings, because they are stored.
 */
export const LOCALES = ['fr', 'en'] as const;
export type Locale = (typeof LOCALES)[number];
