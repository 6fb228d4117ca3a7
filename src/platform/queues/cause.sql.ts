/**
 * The cause of a failure: its error without addresses and ids. They differ from message to message, and may name a
 * person.
 * @param error the column, such as `d.error`
 */
export const causeSql = (error: string): string =>
  `left(regexp_replace(regexp_replace(coalesce(${error}, ''), '\\S+@\\S+', '…', 'g'),
                       '\\m[0-9a-f]*[0-9][0-9a-f-]{5,}\\M', '…', 'gi'), 160)`;
