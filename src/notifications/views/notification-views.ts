import { Inject, Injectable } from '@nestjs/common';
import { WRITTEN_KINDS } from '../../contracts/kind-lists.js';
import type { Severity } from '../../contracts/severities.js';
import type { NotificationView } from '../../contracts/socket-messages.js';
import { Clock } from '../../platform/clock/clock.js';
import type { TenantStatements } from '../../platform/database/database.js';
import type { TenantTemplates } from '../../wording/tenant-templates/tenant-templates.js';
import { factsOf, type Reader } from '../../wording/worded.js';
import { Wording } from '../../wording/wording.js';
import type { AlertRow } from '../alerts/alert-row.js';
import type { AlertView } from '../alerts/alerts.dto.js';
import type { DeliveryStatus } from '../deliveries/deliveries.dto.js';
import { localeOf, readerOf, type ReaderRow } from './reader.js';

/** The data for a notification's text. */
export interface WordedRow {
  id: string;
  kind: string;
  severity: Severity;
  data: Record<string, unknown>;
  audience: string;
  author_name: string | null;
  created_at: Date;
}

/** A delivery in a list, with the data for its notification's title. */
export type ListedRow = { worded: Omit<WordedRow, 'id' | 'created_at'>; created_at: Date } & ReaderRow;

/** A notification's row in its table. */
export interface NotificationRow extends WordedRow {
  alert_id: string | null;
  read_at: Date | null;
  archived_at: Date | null;
  acknowledged_at: Date | null;
  /** A name. */
  acknowledged_by: string | null;
  snoozed_until: Date | null;
  seq: number;
}

const WRITTEN = WRITTEN_KINDS.map((kind) => `'${kind}'`).join(', ');

/** The name of the user who wrote the notification `n`, null for notifications of Vigie and programs. */
const AUTHOR_NAME = `(
  SELECT author.name FROM users author
  WHERE author.tenant_id = n.tenant_id
    AND author.id = CASE WHEN n.kind IN (${WRITTEN}) AND n.created_by LIKE 'user:%'
                         THEN substr(n.created_by, ${'user:'.length + 1})::uuid END) AS author_name`;

/** The columns of a `WordedRow`, of the notification `n`. */
export const WORDED_COLUMNS = `n.id, n.kind, n.severity, n.data, n.audience, n.created_at, ${AUTHOR_NAME}`;

/** The columns of a `NotificationRow`, of the notification `n`. */
export const NOTIFICATION_COLUMNS = `${WORDED_COLUMNS}, n.alert_id, n.read_at, n.archived_at, n.seq,
  n.acknowledged_at, n.snoozed_until,
  -- Few have one: the look-up of each took a twentieth of a feed's time.
  CASE WHEN n.acknowledged_by IS NOT NULL THEN (
    SELECT handler.name FROM users handler
    WHERE handler.tenant_id = n.tenant_id AND handler.id = n.acknowledged_by) END AS acknowledged_by`;

/** Turns rows into views for REST and sockets: in the reader's language, as of today in the tenant's zone. */
@Injectable()
export class NotificationViews {
  private reader: { row: ReaderRow; minute: number; own: TenantTemplates | null; reader: Reader } | null =
    null;

  constructor(
    private readonly wording: Wording,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** The tenant's own words, for all of these rows: they are of one tenant, from one statement. */
  async ownWords(tx: TenantStatements, [row]: readonly ReaderRow[]): Promise<TenantTemplates | null> {
    return this.wording.ownWords(tx.tenant_id, row?.wording_version ?? null, tx);
  }

  of(row: NotificationRow & ReaderRow, own: TenantTemplates | null): NotificationView {
    const reader = this.readerOf(row, own);
    const words = this.wording.titleAndBody(row, reader);
    return notificationView(row, words, this.wording.itemUrl(row, reader), this.clock.now());
  }

  /** Only the title, for lists of deliveries: they do not read the data of the body. */
  titleOf(row: Omit<WordedRow, 'id'> & ReaderRow, own: TenantTemplates | null): string {
    return this.wording.titleAndBody({ ...row, id: null }, this.readerOf(row, own)).title;
  }

  /** Replaces the columns from which a title is rendered by the title. */
  titled<Row extends ListedRow>(
    row: Row,
    own: TenantTemplates | null,
  ): Omit<Row, keyof ReaderRow | 'worded'> & { title: string } {
    const {
      worded,
      reader_locale,
      reader_name,
      tenant_name,
      tenant_slug,
      time_zone,
      wording_version,
      ...delivery
    } = row;
    const reader = { reader_locale, reader_name, tenant_name, tenant_slug, time_zone, wording_version };
    return { ...delivery, title: this.titleOf({ ...worded, ...reader, created_at: row.created_at }, own) };
  }

  /** The status of a delivery in the reader's language. */
  statusLabel(status: DeliveryStatus, { reader_locale }: ReaderRow): string {
    return this.wording.statusLabel(status, localeOf(reader_locale));
  }

  ofAlert(row: AlertRow & ReaderRow, own: TenantTemplates | null): AlertView {
    return alertView(row, this.wordsOfAlert(row, own).title, this.clock.now());
  }

  detailOfAlert(row: AlertRow & ReaderRow, own: TenantTemplates | null): AlertView & { body: string } {
    const { title, body } = this.wordsOfAlert(row, own);
    return Object.assign(alertView(row, title, this.clock.now()), { body });
  }

  /** An open alert's data changes, so its text is not cached. */
  private wordsOfAlert(row: AlertRow & ReaderRow, own: TenantTemplates | null) {
    const { kind, severity, data, first_seen_at: created_at } = row;
    const item = { id: null, kind, severity, data, created_at, audience: null, author_name: null };
    return this.wording.titleAndBody(item, this.readerOf(row, own));
  }

  /** All rows of a page have the same reader: built for the first row, and again after a minute. */
  private readerOf(row: ReaderRow, own: TenantTemplates | null): Reader {
    const now = this.clock.now();
    const minute = Math.floor(now.getTime() / 60_000);
    const known = this.reader;
    if (known?.minute === minute && known.own === own && isSame(known.row, row)) return known.reader;
    const reader = readerOf(row, now, own);
    this.reader = { row, minute, own, reader };
    return reader;
  }
}

function isSame(one: ReaderRow, other: ReaderRow): boolean {
  return (
    one.reader_locale === other.reader_locale &&
    one.time_zone === other.time_zone &&
    one.tenant_slug === other.tenant_slug &&
    one.tenant_name === other.tenant_name &&
    one.reader_name === other.reader_name
  );
}

/** A row with its rendered text. */
function notificationView(
  row: NotificationRow,
  { title, body }: { title: string; body: string },
  url: string | null,
  now: Date,
): NotificationView {
  // Listed one by one: a rest and a spread took a tenth of a feed's time.
  return {
    id: row.id,
    kind: row.kind,
    severity: row.severity,
    title,
    body,
    author: row.author_name === null ? null : { name: row.author_name },
    data: factsOf(row),
    created_at: row.created_at.toISOString(),
    read_at: row.read_at?.toISOString() ?? null,
    archived_at: row.archived_at?.toISOString() ?? null,
    alert_id: row.alert_id,
    acknowledged_at: row.acknowledged_at?.toISOString() ?? null,
    acknowledged_by: row.acknowledged_by,
    snoozed_until: future(row.snoozed_until, now)?.toISOString() ?? null,
    url,
    cursor: `${row.seq}.${row.id}`,
  };
}

function alertView(row: AlertRow, title: string, now: Date): AlertView {
  const snoozed_until = future(row.snoozed_until, now);
  const marked = row.acknowledged_at !== null ? 'acknowledged' : snoozed_until === null ? 'open' : 'snoozed';
  return {
    id: row.id,
    kind: row.kind,
    severity: row.severity,
    source_type: row.source_type,
    source_id: row.source_id,
    dedupe_key: row.dedupe_key,
    stage: row.stage,
    title,
    state: row.state === 'resolved' ? 'resolved' : marked,
    occurrences: row.occurrences,
    first_seen_at: row.first_seen_at,
    last_seen_at: row.last_seen_at,
    gone_at: row.gone_at,
    resolved_at: row.resolved_at,
    resolved_by: row.resolved_by,
    acknowledged_at: row.acknowledged_at,
    acknowledged_by: row.acknowledged_by,
    snoozed_until,
  };
}

/** A snooze that has ended is none. */
function future(instant: Date | null, now: Date): Date | null {
  return instant !== null && instant > now ? instant : null;
}
