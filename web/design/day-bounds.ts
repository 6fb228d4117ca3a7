const DAY_MS = 86_400_000;

/** Whether a text of an address is a civil date that exists. */
export function isDate(text: string | undefined): text is string {
  return text !== undefined && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
}

/**
 * The instant at which a civil date begins in a zone. Where a change of clocks skips midnight, the day begins an hour
 * later there: that is close enough for filters.
 * @param date civil, `2026-03-02`
 */
export function dayStart(date: string, zone: string): Date {
  const midnight = Date.parse(`${date}T00:00:00Z`);
  // The offset at the guess may differ from that at the result.
  const guess = midnight - offsetAt(midnight, zone);
  return new Date(midnight - offsetAt(guess, zone));
}

/** The instant at which a civil date ends in a zone: the first one that is no part of it. */
export function dayEnd(date: string, zone: string): Date {
  return dayStart(new Date(Date.parse(`${date}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10), zone);
}

/** How far the clocks of a zone are ahead of UTC, in ms. */
function offsetAt(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at);
  const of = (type: Intl.DateTimeFormatPartTypes) =>
    Number(parts.find((part) => part.type === type)?.value ?? 0);
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second')) - at;
}
