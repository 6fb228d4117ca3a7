import { Injectable } from '@nestjs/common';
import type { NotificationKind } from '../../contracts/kinds.js';
import type { TenantSettings } from '../../tenants/settings/tenant-settings.js';

/** Parameters of `factsSql`, as SQL expressions: the tenant id, today (civil date in its zone), and the stages. */
export type FactParameters = Readonly<Record<'tenant_id' | 'today' | 'stages', string>>;

/** Something that is watched, as its room registers it: the SQL that finds what people must know of. */
export interface WatchedKind {
  kind: NotificationKind;
  /** `source_type` of its alerts. */
  source_type: string;
  /**
   * A SELECT of all facts that hold, from dates and contents alone (never from a status that a job writes), in no
   * language. Stages are days before the due date, negative after it.
   * Columns: `source_id uuid`, `dedupe_key text` (the fact without its stage), `stage integer` (the nearest stage
   * reached: the smallest that is >= the days left), `severity text`, `responsible_id uuid`, `changed_at
   * timestamptz` (when its contents last changed), and what `dataSql` reads.
   */
  factsSql: (parameters: FactParameters) => string;
  /** An expression of a fact's columns, known as `f`: its `data`. Evaluated only for facts that are announced. */
  dataSql: string;
  stages(settings: TenantSettings): number[];
  /**
   * The nightly status update: one UPDATE. Parameters: $1 tenant id, $2 today (civil date), $3 now.
   */
  overdueSql?: string;
}

/** All that is watched. The check does not know what a deadline is; it knows facts. */
@Injectable()
export class WatchedKinds {
  private readonly kinds = new Map<string, WatchedKind>();

  /** @throws Error when the kind is registered already. */
  register(watched: WatchedKind): void {
    if (this.kinds.has(watched.kind)) throw new Error(`${watched.kind} is watched twice`);
    this.kinds.set(watched.kind, watched);
  }

  all(): readonly WatchedKind[] {
    return [...this.kinds.values()];
  }
}
