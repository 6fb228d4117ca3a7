const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/** The currency of an amount without one. */
export const DEFAULT_CURRENCY = 'EUR';

/** Whether it is a currency's code of ISO 4217, in capitals. */
export function isCurrency(code: unknown): boolean {
  return typeof code === 'string' && CURRENCIES.has(code);
}
