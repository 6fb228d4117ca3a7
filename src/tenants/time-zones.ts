import { Injectable } from '@nestjs/common';
import { isTimeZone } from '../platform/clock/civil-time.js';
import { SystemDatabase } from '../platform/database/database.js';
import { invalid } from '../platform/errors/problem.js';

/**
 * The one source of zone names: those that Node and PostgreSQL both know. The scheduler reads a tenant's zone in Node,
 * retention reads it in PostgreSQL, and each of them has names that the other one lacks.
 */
@Injectable()
export class TimeZones {
  /** Lower-case, as PostgreSQL lists them. Read once: they change with its version only. */
  private names: Promise<ReadonlySet<string>> | undefined;

  constructor(private readonly system: SystemDatabase) {}

  async isKnown(name: string): Promise<boolean> {
    return isTimeZone(name) && (await this.read()).has(name.toLowerCase());
  }

  /**
   * @param name a zone that a request sets; null and undefined set none.
   * @throws Problem validation_failed at `/time_zone`
   */
  async assertKnown(name: string | null | undefined): Promise<void> {
    if (name != null && !(await this.isKnown(name))) {
      throw invalid('/time_zone', 'time_zone must be an IANA time zone such as Europe/Paris');
    }
  }

  private read(): Promise<ReadonlySet<string>> {
    this.names ??= this.system
      .query<{ name: string }>(`SELECT lower(name) AS name FROM pg_timezone_names`)
      .then((rows) => new Set(rows.map(({ name }) => name)))
      .catch((error: unknown) => {
        this.names = undefined;
        throw error;
      });
    return this.names;
  }
}
