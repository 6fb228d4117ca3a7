import { CHANNELS, type Channel, PEOPLE_CHANNELS, type PeopleChannel } from './channels.js';
import type { ScheduledJob } from './jobs.js';
import type { Severity } from './severities.js';
import { type KindDeclaration, KINDS, type NotificationKind } from './kinds.js';

// Derived from the declarations of kinds.ts.

type OptionalOf<Declared> = {
  [Kind in keyof Declared]: Declared[Kind] extends { optional: true } ? Kind : never;
}[keyof Declared];
/** A kind that a user may turn off. */
export type OptionalKind = OptionalOf<typeof KINDS>;

const DECLARED: Readonly<Record<NotificationKind, KindDeclaration>> = KINDS;

export const NOTIFICATION_KINDS = kindsThat(() => true);
export const OPTIONAL_KINDS = kindsThat<OptionalKind>(({ optional }) => optional);
/** Kinds that bypass operating hours, quiet hours and limits. */
export const URGENT_KINDS = kindsThat(({ urgent }) => urgent);
/** Kinds that may share a message. */
export const BUNDLED_KINDS = kindsThat(({ bundled }) => bundled);
/** Kinds whose mail carries a one-time link. */
export const LINK_KINDS = kindsThat(({ link }) => link === true);
/** Kinds with a title and body that somebody wrote. */
export const WRITTEN_KINDS = kindsThat(({ written }) => written === true);

/** The jobs that watch backups. */
export const BACKUP_JOBS: readonly ScheduledJob[] = KINDS.backup_alert.found_by;

/**
 * The kinds that a job announces. A request announces an event; the next check announces it again once a snooze ends.
 */
export function kindsFoundBy(job: ScheduledJob): readonly NotificationKind[] {
  const found = kindsThat(({ found_by }) => found_by?.includes(job) === true);
  return job === 'check-notifications' ? [...found, 'event'] : found;
}

/** A channel that suits a kind, and whether it is on by default. */
export interface KindChannel<Which extends Channel = Channel> {
  kind: NotificationKind;
  channel: Which;
  default_on: boolean;
}

/** Every kind with every channel that suits it. */
export const KIND_CHANNELS = kindsOn(CHANNELS);
/** The same with the channels that people choose among. */
export const KIND_PEOPLE_CHANNELS: readonly KindChannel<PeopleChannel>[] = kindsOn(PEOPLE_CHANNELS);
/** Kinds that webhook endpoints can receive. */
export const WEBHOOK_KINDS = kindsThat(({ channels }) => channels.webhook !== undefined);

/** The declaration of a stored kind; undefined if this version does not have it. */
export function declarationOf(kind: string): KindDeclaration | undefined {
  return Object.hasOwn(DECLARED, kind) ? DECLARED[kind as NotificationKind] : undefined;
}

/**
 * Whether a user's or tenant's choice can keep a notification from this channel: not for mandatory kinds, nor for
 * critical ones where the kind's default turns the channel on.
 */
export function canBeTurnedOff(kind: string, channel: Channel, severity: Severity): boolean {
  const { optional = false, channels = {} } = declarationOf(kind) ?? {};
  return optional && (severity !== 'critical' || channels[channel] !== 'on');
}

function kindsOn<Which extends Channel>(channels: readonly Which[]): readonly KindChannel<Which>[] {
  return NOTIFICATION_KINDS.flatMap((kind) =>
    channels.flatMap((channel) => {
      const setting = DECLARED[kind].channels[channel];
      return setting === undefined ? [] : [{ kind, channel, default_on: setting === 'on' }];
    }),
  );
}

function kindsThat<Kind extends NotificationKind = NotificationKind>(
  holds: (declaration: KindDeclaration) => boolean,
): readonly Kind[] {
  const entries = Object.entries(DECLARED) as [Kind, KindDeclaration][];
  return entries.filter(([, declaration]) => holds(declaration)).map(([kind]) => kind);
}
