import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import type { PeopleChannel } from '../../contracts/channels.js';
import type { OptionalKind } from '../../contracts/kind-lists.js';
import { EffectivePreference } from './effective.js';
import { Choices, ChosenChannel, ChosenKind, type KindOnChannel } from './kind-channel.js';

/** A tenant's choice for one kind on one channel, for users who have not chosen. */
export class TenantPreference implements KindOnChannel {
  @ChosenKind()
  kind: OptionalKind;

  @ChosenChannel()
  channel: PeopleChannel;

  @ApiProperty()
  @IsBoolean()
  enabled: boolean;
}

/** All choices of a tenant. PUT replaces them: an omitted kind and channel returns to the kind's default. */
export class TenantPreferencesDocument {
  @ApiProperty({ type: [TenantPreference] })
  @Choices(() => TenantPreference)
  preferences: TenantPreference[];
}

/** The response: what applies to users who have not chosen. */
export class TenantPreferencesView {
  @ApiProperty({ type: [EffectivePreference] })
  preferences: EffectivePreference[];
}
