import { CHANNELS, type Channel } from './channels.js';
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

/** A channel that suits a kind, and whether it is on by default. */
export interface KindChannel {
  kind: NotificationKind;
  channel: Channel;
  default_on: boolean;
}

/** Every kind with every channel that suits it. */
export const KIND_CHANNELS: readonly KindChannel[] = NOTIFICATION_KINDS.flatMap((kind) =>
  CHANNELS.flatMap((channel) => {
    const setting = DECLARED[kind].channels[channel];
    return setting === undefined ? [] : [{ kind, channel, default_on: setting === 'on' }];
  }),
);

/** The declaration of a stored kind; undefined if this version does not have it. */
export function declarationOf(kind: string): KindDeclaration | undefined {
  return Object.hasOwn(DECLARED, kind) ? DECLARED[kind as NotificationKind] : undefined;
}

function kindsThat<Kind extends NotificationKind = NotificationKind>(
  holds: (declaration: KindDeclaration) => boolean,
): readonly Kind[] {
  const entries = Object.entries(DECLARED) as [Kind, KindDeclaration][];
  return entries.filter(([, declaration]) => holds(declaration)).map(([kind]) => kind);
}
