const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The server refuses a longer snooze. */
export const MAX_SNOOZE_DAYS = 90;

/** The choices of a snooze, in the zone of this machine. @param now in ms */
export function snoozeTimes(now: number): { name: 'hour' | 'tonight' | 'tomorrow' | 'monday'; at: Date }[] {
  const at = (days: number, hour: number) => {
    const date = new Date(now);
    date.setDate(date.getDate() + days);
    date.setHours(hour, 0, 0, 0);
    return date;
  };
  const daysToMonday = (8 - new Date(now).getDay()) % 7 || 7;
  return [
    { name: 'hour' as const, at: new Date(now + HOUR) },
    { name: 'tonight' as const, at: at(0, 19) },
    { name: 'tomorrow' as const, at: at(1, 9) },
    // On a Sunday, tomorrow is Monday.
    ...(daysToMonday === 1 ? [] : [{ name: 'monday' as const, at: at(daysToMonday, 9) }]),
  ].filter((choice) => choice.at.getTime() > now + 10 * MINUTE);
}
