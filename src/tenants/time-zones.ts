import { Injectable } from '@nestjs/common';
import { isTimeZone } from '../platform/clock/civil-time.js';
import { SystemDatabase } from '../platform/database/database.js';
import { invalid } from '../platform/errors/problem.js';

/**
 * The only source of zone names: those that both Node and PostgreSQL know. The scheduler reads a tenant's zone in Node,
 * retention reads it in PostgreSQL, and each has names that the other lacks.
 */
@Injectable()
export class TimeZones {
  /** In lower case, as PostgreSQL lists them. Read once: they change only with its version. */
  private names: Promise<ReadonlySet<string>> | undefined;

  constructor(private readonly system: SystemDatabase) {}

  async isKnown(name: string): Promise<boolean> {
    return isTimeZone(name) && (await this.read()).has(name.toLowerCase());
  }

  /**
   * @param name the zone in a request; null and undefined set none.
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
