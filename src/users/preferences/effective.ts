import { ApiProperty } from '@nestjs/swagger';
import { type PeopleChannel, PEOPLE_CHANNELS } from '../../contracts/channels.js';
import { KIND_PEOPLE_CHANNELS, NOTIFICATION_KINDS, OPTIONAL_KINDS } from '../../contracts/kind-lists.js';
import type { NotificationKind } from '../../contracts/kinds.js';

/** Whose choice applies: the user's own, else the tenant's, else the kind's default (`kinds.ts`). */
export const CHOICE_SOURCES = ['user', 'tenant', 'default'] as const;
export type ChoiceSource = (typeof CHOICE_SOURCES)[number];

/** A stored choice. */
export interface Choice {
  kind: string;
  channel: string;
  enabled: boolean;
}

/** What applies to one kind on one channel. */
export class EffectivePreference {
  @ApiProperty({ enum: NOTIFICATION_KINDS })
  kind: NotificationKind;

  @ApiProperty({ enum: PEOPLE_CHANNELS })
  channel: PeopleChannel;

  @ApiProperty({ description: 'Whether notifications of this kind are sent on this channel' })
  enabled: boolean;

  @ApiProperty({ enum: CHOICE_SOURCES, description: 'Whose choice `enabled` is' })
  source: ChoiceSource;

  @ApiProperty({ description: 'Read-only: notifications of this kind answer an act of the user' })
  locked: boolean;

  @ApiProperty({
    description:
      'Whether critical notifications are sent: also where `enabled` is false, if the channel is on by default',
  })
  critical_enabled: boolean;
}

const OPTIONAL: readonly NotificationKind[] = OPTIONAL_KINDS;

/**
 * Every kind on every channel that suits it. The outbox decides by the same rule, in SQL
 * (`delivery/decisions.sql.ts`).
 * @param user null: what applies to users who have not chosen
 */
export function effectivePreferences(
  user: readonly Choice[] | null,
  tenant: readonly Choice[],
): EffectivePreference[] {
  const chosen = byKindAndChannel(user ?? []);
  const defaults = byKindAndChannel(tenant);
  return KIND_PEOPLE_CHANNELS.map(({ kind, channel, default_on }) => {
    const locked = !OPTIONAL.includes(kind);
    const own = locked ? undefined : chosen.get(`${kind} ${channel}`);
    const shared = locked ? undefined : defaults.get(`${kind} ${channel}`);
    const enabled = own ?? shared ?? default_on;
    return {
      kind,
      channel,
      enabled,
      source: own !== undefined ? 'user' : shared !== undefined ? 'tenant' : 'default',
      locked,
      critical_enabled: enabled || default_on,
    };
  });
}

function byKindAndChannel(choices: readonly Choice[]): Map<string, boolean> {
  return new Map(choices.map(({ kind, channel, enabled }) => [`${kind} ${channel}`, enabled]));
}
