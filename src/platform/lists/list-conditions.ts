import type { SqlValue } from '../database/transaction.js';
import { foldedPattern, foldedSql } from '../text/folded.sql.js';

/**
 * The conditions of a list, with the values of their parameters. A list, its count and a bulk act build them by the
 * same function, so that they always mean the same rows.
 */
export class ListConditions {
  private readonly parts: string[] = [];
  private readonly parameters: SqlValue[];

  /** @param values parameters that the statement has anyway, from `$1` on */
  constructor(values: readonly SqlValue[] = []) {
    this.parameters = [...values];
  }

  get values(): readonly SqlValue[] {
    return this.parameters;
  }

  /** All conditions, joined by AND. */
  get sql(): string {
    return this.parts.length === 0 ? 'true' : this.parts.join(' AND ');
  }

  /** A copy, for a statement with more parameters. */
  copy(): ListConditions {
    const copy = new ListConditions(this.parameters);
    copy.parts.push(...this.parts);
    return copy;
  }

  /** Adds a value. @returns its parameter: `$3` */
  take(value: SqlValue): string {
    return `$${this.parameters.push(value)}`;
  }

  /** Adds a condition that has no parameter, or only those of `take`. */
  add(sql: string): this {
    this.parts.push(sql);
    return this;
  }

  /**
   * Adds a condition if there is a value.
   * @param sql the condition, by its parameter: `(p) => `item.due_on < ${p}::date``
   */
  given(value: SqlValue, sql: (parameter: string) => string): this {
    return value === undefined ? this : this.add(sql(this.take(value)));
  }

  /** `column = value`, if there is a value. */
  equal(column: string, value: SqlValue): this {
    return this.given(value, (p) => `${column} = ${p}`);
  }

  /**
   * Adds a search: `q` is a part of one of these text columns, without regard to case and accents. `%` and
   * `_` have no special meaning.
   * @param q a text of bounded length
   */
  matching(columns: readonly string[], q: string | undefined): this {
    return q === undefined ? this : this.add(this.matchSql(`concat_ws(chr(10), ${columns.join(', ')})`, q));
  }

  /** A search condition for one text, to combine with others. */
  matchSql(text: string, q: string): string {
    return `${text} ~ ${this.take(foldedPattern(q))}`;
  }

  /** Like `matchSql`, for all texts in a JSON column at any depth, but not for names of fields. */
  matchSqlOfJson(column: string, q: string): string {
    return this.matchSql(textsOfJson(column), q);
  }

  /** Like `matching`, for a column that has the texts as `foldedSql` returns them. */
  matchingFolded(column: string, q: string | undefined): this {
    return this.given(q === undefined ? undefined : likePattern(q), (p) => `${column} LIKE ${foldedSql(p)}`);
  }
}

/** All texts in a JSON column, one per line. A search in the JSON itself would also find its syntax and escapes. */
const textsOfJson = (column: string): string => `(SELECT string_agg(value #>> '{}', chr(10))
  FROM jsonb_path_query(${column}, '$.** ? (@.type() == "string")') AS texts (value))`;

/** The pattern of LIKE for texts that contain `q`: its default escape character is the backslash. */
export function likePattern(q: string): string {
  return `%${q.replace(/[\\%_]/g, '\\$&')}%`;
}
