/** A time field cannot show 24:00, the end of a day: it shows 00:00. */
export function endInField(time: string): string {
  return time === '24:00' ? '00:00' : time;
}

/** The end of hours that a field shows. */
export function endOfField(value: string): string {
  return value === '00:00' ? '24:00' : value;
}
