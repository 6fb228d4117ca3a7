import { ApiProperty } from '@nestjs/swagger';
import { ArrayMinSize, IsBoolean, IsIn, IsOptional, Matches, ValidateBy } from 'class-validator';
import { type Bundling, BUNDLINGS } from '../../contracts/bundling.js';
import type { PeopleChannel } from '../../contracts/channels.js';
import type { OptionalKind } from '../../contracts/kind-lists.js';
import { CivilDate } from '../../platform/http/civil-date.js';
import { Nested, NestedList } from '../../platform/http/nested.js';
import { OperatingHoursSettings } from '../../tenants/settings/operating-hours.js';
import { TIME, timeMessage } from '../../tenants/settings/time-of-day.js';
import { EffectivePreference } from './effective.js';
import { Choices, ChosenChannel, ChosenKind, type KindOnChannel } from './kind-channel.js';

/** Two a day. */
const MAX_RECEIVING_HOURS = 14;
/** How far ahead a pause may end, in days. */
export const MAX_PAUSE_DAYS = 366;

/** A user's choice for one kind on one channel. */
export class Preference implements KindOnChannel {
  @ChosenKind()
  kind: OptionalKind;

  @ChosenChannel()
  channel: PeopleChannel;

  @ApiProperty({ type: Boolean, nullable: true, description: "null: the tenant's choice, or the default" })
  @IsOptional()
  @IsBoolean()
  enabled: boolean | null;
}

/** Hours in which only critical notifications are sent, in the user's zone; may span midnight. */
export class QuietHours {
  @ApiProperty({ example: '20:00' })
  @Matches(TIME, timeMessage)
  from: string;

  @ApiProperty({ example: '07:30' })
  @Matches(TIME, timeMessage)
  @ValidateBy({
    name: 'differsFromFrom',
    validator: {
      validate: (to: unknown, where) => to !== (where?.object as Partial<QuietHours> | undefined)?.from,
      defaultMessage: () => '$property must differ from `from`',
    },
  })
  to: string;
}

/** When a user receives what is not critical, in the user's zone. All of these apply together. */
export class UserHours {
  @ApiProperty({ type: QuietHours, nullable: true, description: 'Never in these hours; null: at any hour' })
  @IsOptional()
  @Nested(() => QuietHours)
  quiet_hours: QuietHours | null = null;

  @ApiProperty({
    type: [OperatingHoursSettings],
    nullable: true,
    minItems: 1,
    maxItems: MAX_RECEIVING_HOURS,
    example: [{ days: [1, 2, 3, 4, 5], from: '08:00', to: '19:00' }],
    description: 'Only in these hours, by weekday; several may overlap. null: on every day',
  })
  @IsOptional()
  @NestedList(() => OperatingHoursSettings, MAX_RECEIVING_HOURS)
  @ArrayMinSize(1)
  receiving_hours: OperatingHoursSettings[] | null = null;

  @ApiProperty({
    type: String,
    format: 'date',
    nullable: true,
    example: '2026-08-24',
    description:
      'The day on which messages are sent again; until then they wait. ' +
      `After today, and within ${MAX_PAUSE_DAYS} days; null: no pause`,
  })
  @IsOptional()
  @CivilDate()
  paused_until: string | null = null;
}

/** All preferences of a user. PUT replaces them: an omitted kind and channel returns to its default. */
export class Preferences extends UserHours {
  // Optional here, so that an unknown user is reported before a missing list.
  @ApiProperty({ type: [Preference] })
  @IsOptional()
  @Choices(() => Preference)
  preferences?: Preference[] | null;

  @ApiProperty({
    enum: BUNDLINGS,
    nullable: true,
    description: "together: waiting messages are sent as one; null: the tenant's setting",
  })
  @IsOptional()
  @IsIn(BUNDLINGS)
  bundling: Bundling | null = null;
}

/** The response: what applies to every kind on every channel. */
export class PreferencesView extends UserHours {
  @ApiProperty({ type: [EffectivePreference] })
  preferences: EffectivePreference[];

  @ApiProperty({ enum: BUNDLINGS, nullable: true })
  bundling: Bundling | null = null;
}
