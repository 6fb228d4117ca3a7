import { Injectable } from '@nestjs/common';
import type { Audience } from '../../contracts/audiences.js';
import type { Channel } from '../../contracts/channels.js';
import { type KindDeclaration, KINDS, type NotificationKind } from '../../contracts/kinds.js';
import type { Locale } from '../../contracts/locales.js';
import { isReason, type Reason, settingPath } from '../../contracts/reasons.js';
import { SEVERITIES } from '../../contracts/severities.js';
import { queueOf } from '../../delivery/channels/channels.js';
import { NotificationViews } from '../../notifications/views/notification-views.js';
import { localeOf, type ReaderRow } from '../../notifications/views/reader.js';
import { pretendNow } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import { notFound } from '../../platform/errors/problem.js';
import { Wording } from '../../wording/wording.js';
import type { Compared } from './compared.js';
import type {
  PreviewedItem,
  PreviewEntry,
  PreviewOutcome,
  PreviewTotals,
  RanDelivery,
} from './preview.dto.js';
import { READER, type SilentAlert, type WrittenRow } from '../../notifications/preview/written.sql.js';

/** Who reads the entries, and which. */
export interface EntriesRequest {
  reader_id: string | null;
  user_id?: string | undefined;
  limit: number;
  /** Later slots have not run yet. */
  now: Date;
}

type Title = (about: WrittenRow | SilentAlert, at: Date) => string;

/** The decision on one message. */
interface Decided {
  outcome: PreviewOutcome;
  reason: string | null;
  leaves_at: Date | null;
}

/** Presents compared messages: titles, reasons, links; the worst first. */
@Injectable()
export class PreviewEntries {
  constructor(
    private readonly database: Database,
    private readonly views: NotificationViews,
    private readonly wording: Wording,
  ) {}

  /** The first `limit` entries, and the totals of all. */
  async of(
    tenantId: string,
    compared: readonly Compared[],
    { reader_id, user_id, limit, now }: EntriesRequest,
  ): Promise<{ data: PreviewEntry[]; matching: number; totals: PreviewTotals }> {
    const { reader, own } = await this.database.tenant(tenantId, async (tx) => {
      const row = await tx.one<ReaderRow>(READER, [tenantId, reader_id]);
      if (row === null) throw notFound();
      return { reader: row, own: await this.views.ownWords(tx, [row]) };
    });
    const title: Title = ({ kind, severity, data, ...about }, at) =>
      pretendNow(at, () =>
        this.views.titleOf(
          {
            ...reader,
            kind,
            severity,
            data,
            audience: 'audience' in about ? about.audience : '',
            author_name: null,
            created_at: at,
          },
          own,
        ),
      );
    const sizes = messageSizes(compared);
    const locale = localeOf(reader.reader_locale);
    const sorted = [...compared].sort(worstFirst);
    const shown = sorted.filter((one) => user_id === undefined || shownRow(one)?.user_id === user_id);
    return {
      data: shown.slice(0, limit).map((one) => this.entry(one, { title, sizes, locale })),
      matching: shown.length,
      totals: totalsOf(compared, now),
    };
  }

  private entry(
    compared: Compared,
    { title, sizes, locale }: { title: Title; sizes: ReadonlyMap<string, number>; locale: Locale },
  ): PreviewEntry {
    const { slot, at, previewed, ran, silent } = compared;
    const row = shownRow(compared);
    const about = row ?? silent;
    if (about === null) throw new Error('an entry is about nothing');
    const decided = decisionOn(compared);
    const item = itemOf(about.kind, about.data);
    const channel = (row?.channel ?? null) as Channel | null;
    const { reason } = decided;
    return {
      slot,
      at,
      recipient: row?.recipient ?? null,
      user_id: row?.user_id ?? null,
      name: row?.name ?? null,
      channel,
      kind: about.kind,
      severity: about.severity,
      title: title(about, at),
      item,
      stage: about.stage,
      audience: (row?.audience ?? null) as Audience | null,
      ...decided,
      reason_text: reason === null ? null : this.wording.reasonText(reason, locale),
      setting:
        reason !== null && isReason(reason) ? settingOf(reason, { row, silent, item, channel, ran }) : null,
      message_size: sizes.get(row?.bundle_id ?? '') ?? 1,
      previewed: previewed !== null || silent !== null,
      ran: ran === null ? null : ranDelivery(ran),
    };
  }
}

function shownRow({ previewed, ran }: Compared): WrittenRow | null {
  return previewed ?? ran;
}

/** The decision in the preview, or else in the run. */
function decisionOn(compared: Compared): Decided {
  const { at, silent } = compared;
  if (silent !== null) return { outcome: 'not_sent', reason: silent.reason, leaves_at: null };
  const row = shownRow(compared);
  if (row === null || row.delivery_id === null)
    return { outcome: 'inbox', reason: 'in_inbox', leaves_at: null };
  const { state, reason, defer_reason, due_at, sent_at } = row;
  switch (state) {
    case 'queued':
    case 'sending':
      return { outcome: 'leaves', reason: null, leaves_at: at };
    case 'sent':
      return { outcome: 'leaves', reason: null, leaves_at: sent_at };
    case 'pending':
      // Without a decision its channel is switched off.
      return defer_reason === null
        ? { outcome: 'waits', reason: 'paused', leaves_at: null }
        : { outcome: 'waits', reason: defer_reason, leaves_at: due_at };
    default:
      return { outcome: 'not_sent', reason: reason ?? state, leaves_at: null };
  }
}

function settingOf(
  reason: Reason,
  of: {
    row: WrittenRow | null;
    silent: SilentAlert | null;
    item: PreviewedItem | null;
    channel: Channel | null;
    ran: WrittenRow | null;
  },
): string | null {
  const { row, silent, item, channel, ran } = of;
  const recipient = row?.recipient ?? '';
  return settingPath(reason, {
    item_type: item?.type,
    item_id: item?.id,
    // Ids from a rehearsal do not exist: it was rolled back.
    alert_id: silent?.alert_id ?? ran?.alert_id,
    notification_id: ran?.notification_id,
    user_id: row?.user_id,
    endpoint_id: recipient.startsWith('webhook:') ? recipient.slice('webhook:'.length) : null,
    queue: channel === null ? null : queueOf(channel),
  });
}

function itemOf(kind: string, data: Record<string, unknown>): PreviewedItem | null {
  // A kind of another version has no declaration here.
  const declared: KindDeclaration | undefined = Object.hasOwn(KINDS, kind)
    ? KINDS[kind as NotificationKind]
    : undefined;
  const item = declared?.item;
  if (item === undefined) return null;
  const id = data[item.id];
  return typeof id === 'string' ? { type: item.type, id } : null;
}

function ranDelivery(row: WrittenRow): RanDelivery {
  return {
    notification_id: row.notification_id,
    delivery_id: row.delivery_id,
    at: row.created_at,
    state: row.state,
    reason: row.state === 'pending' ? row.defer_reason : row.reason,
    sent_at: row.sent_at,
  };
}

function messageSizes(compared: readonly Compared[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const one of compared) {
    const bundle = shownRow(one)?.bundle_id ?? null;
    if (bundle !== null) sizes.set(bundle, (sizes.get(bundle) ?? 0) + 1);
  }
  return sizes;
}

function worstFirst(one: Compared, other: Compared): number {
  const rank = (of: Compared) => {
    const about = shownRow(of) ?? of.silent;
    return {
      // SEVERITIES begins with the mildest.
      severity: -SEVERITIES.findIndex((severity) => severity === about?.severity),
      stage: about?.stage ?? Infinity,
      name: shownRow(of)?.name ?? '',
    };
  };
  const [a, b] = [rank(one), rank(other)];
  if (a.severity !== b.severity) return a.severity - b.severity;
  if (a.stage !== b.stage) return a.stage < b.stage ? -1 : 1;
  if (one.at.getTime() !== other.at.getTime()) return one.at.getTime() - other.at.getTime();
  return a.name < b.name ? -1 : Number(a.name > b.name);
}

function totalsOf(compared: readonly Compared[], now: Date): PreviewTotals {
  const totals = { leaves: 0, waits: 0, not_sent: 0, inbox: 0, both: 0, only_previewed: 0, only_ran: 0 };
  const recipients = new Set<string>();
  const messages = new Set<string>();
  for (const one of compared) {
    const { outcome } = decisionOn(one);
    totals[outcome] += 1;
    const row = shownRow(one);
    if (row !== null) recipients.add(row.recipient);
    if (row !== null && (outcome === 'leaves' || outcome === 'waits'))
      messages.add(row.bundle_id ?? row.delivery_id ?? '');
    if (one.previewed !== null && one.ran !== null) totals.both += 1;
    else if (one.ran !== null) totals.only_ran += 1;
    else if (one.previewed !== null && one.at <= now) totals.only_previewed += 1;
  }
  return { entries: compared.length, recipients: recipients.size, messages: messages.size, ...totals };
}
