import { Injectable } from '@nestjs/common';
import type { NotificationKind } from '../../contracts/kinds.js';
import type { TenantSettings } from '../../tenants/settings/tenant-settings.js';

/** Parameters of `factsSql`, as SQL expressions: the tenant id, today (civil date in its zone), and the stages. */
export type FactParameters = Readonly<Record<'tenant_id' | 'today' | 'stages', string>>;

/** A watched kind, as its module registers it: the SQL that finds its facts. */
export interface WatchedKind {
  kind: NotificationKind;
  /** `source_type` of its alerts. */
  source_type: string;
  /**
   * A SELECT of all facts that hold. Uses only dates and contents (never a status that a job writes), and no language.
   * Stages are days before the due date, negative after it.
   * Columns: `source_id uuid`, `dedupe_key text` (the fact without its stage), `stage integer` (the nearest stage
   * reached: the smallest that is >= the days left), `severity text`, `responsible_id uuid`, `changed_at timestamptz`
   * (when its contents last changed), and the columns that `dataSql` reads.
   */
  factsSql: (parameters: FactParameters) => string;
  /** An expression for `data`, from a fact's columns under the alias `f`. Evaluated only for announced facts. */
  dataSql: string;
  stages(settings: TenantSettings): number[];
  /** The nightly status update: one UPDATE. Parameters: $1 tenant id, $2 today (civil date), $3 now. */
  overdueSql?: string;
}

/** The registry of watched kinds. The check knows facts, not deadlines. */
@Injectable()
export class WatchedKinds {
  private readonly kinds = new Map<string, WatchedKind>();

  /** @throws Error if the kind is already registered. */
  register(watched: WatchedKind): void {
    if (this.kinds.has(watched.kind)) throw new Error(`${watched.kind} is watched twice`);
    this.kinds.set(watched.kind, watched);
  }

  all(): readonly WatchedKind[] {
    return [...this.kinds.values()];
  }
}
