const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** `3 min`, `2 hr`: in the largest unit that fits. @param seconds not negative */
export function duration(seconds: number, locale: string): string {
  const [unit, size] = UNITS.find(([, below]) => seconds >= below) ?? (['second', 1] as const);
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' }).format(
    Math.floor(seconds / size),
  );
}

/** `3.4 %`. @param share 0 to 1 */
export function percent(share: number, locale: string): string {
  const digits = share > 0 && share < 0.1 ? 1 : 0;
  return new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: digits }).format(share);
}
