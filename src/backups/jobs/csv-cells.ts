import { comparable } from '../../platform/text/normalized.js';

/*
 * Parses the cells of a spreadsheet of expected backups as people write them. Returns unreadable cells unchanged: the
 * field's own rule then refuses them.
 */

const DAYS: readonly (readonly string[])[] = [
  ['1', 'lun', 'lundi', 'lundis', 'mon', 'monday'],
  ['2', 'mar', 'mardi', 'mardis', 'tue', 'tuesday'],
  ['3', 'mer', 'mercredi', 'mercredis', 'wed', 'wednesday'],
  ['4', 'jeu', 'jeudi', 'jeudis', 'thu', 'thursday'],
  ['5', 'ven', 'vendredi', 'vendredis', 'fri', 'friday'],
  ['6', 'sam', 'samedi', 'samedis', 'sat', 'saturday'],
  ['7', 'dim', 'dimanche', 'dimanches', 'sun', 'sunday'],
];
const NUMBERS = new Map(DAYS.flatMap((names, at) => names.map((name) => [name, at + 1] as const)));

/** `1,2,3`, `lun, mar`, `1-5` or `ven-lun` as ISO days of the week. */
export function dayCell(cell: string): number[] | string {
  const items = comparable(cell)
    .toLowerCase()
    .replace(/\s*[-–]\s*/g, '-')
    .replaceAll('.', '')
    .split(/[\s,;/]+/);
  const days = items.flatMap((item) => daysOf(item) ?? [NaN]);
  return days.some(Number.isNaN) ? cell : [...new Set(days)];
}

/** One day, or a range of days, which may wrap around the end of the week. */
function daysOf(item: string): number[] | null {
  const [from, to, ...more] = item.split('-').map((name) => NUMBERS.get(name));
  if (from === undefined || more.length > 0) return null;
  if (!item.includes('-')) return [from];
  if (to === undefined) return null;
  return Array.from({ length: ((to - from + 7) % 7) + 1 }, (_, days) => ((from + days - 1) % 7) + 1);
}

/** `2:30`, `02:30:00`, `2h30` or `2 h` as HH:mm. */
export function timeCell(cell: string): string {
  const [, hours, minutes = '00'] =
    /^(\d{1,2})\s*(?:h|:(?=\d))\s*(\d\d)?(?::00)?$/i.exec(comparable(cell)) ?? [];
  return hours === undefined ? cell : `${hours.padStart(2, '0')}:${minutes}`;
}

/** A whole number. */
export function numberCell(cell: string): number | string {
  const written = comparable(cell);
  return /^\d{1,9}$/.test(written) ? Number(written) : cell;
}
