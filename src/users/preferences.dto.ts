import { ApiProperty } from '@nestjs/swagger';
import { ArrayUnique, IsBoolean, IsIn, IsOptional, Matches, ValidateBy } from 'class-validator';
import { type Bundling, BUNDLINGS } from '../contracts/bundling.js';
import { type Channel, CHANNELS } from '../contracts/channels.js';
import { OPTIONAL_KINDS } from '../contracts/kind-lists.js';
import { Nested, NestedList } from '../platform/http/nested.js';

const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;
const timeMessage = { message: '$property must be a time of day, HH:mm' };

/** Whether one kind of notification may be sent by one channel. */
export interface KindPreference {
  kind: (typeof OPTIONAL_KINDS)[number];
  channel: Channel;
  enabled: boolean;
}

export class Preference implements KindPreference {
  @ApiProperty({ enum: OPTIONAL_KINDS })
  @IsIn(OPTIONAL_KINDS)
  kind: KindPreference['kind'];

  @ApiProperty({ enum: CHANNELS })
  @IsIn(CHANNELS)
  channel: Channel;

  @ApiProperty()
  @IsBoolean()
  enabled: boolean;
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

/** All preferences of a user. PUT replaces them: an omitted kind and channel returns to its default. */
export class Preferences {
  @ApiProperty({ type: [Preference] })
  @NestedList(() => Preference, OPTIONAL_KINDS.length * CHANNELS.length)
  // Runs before the elements are checked: an element may be anything here.
  @ArrayUnique((preference: Partial<Preference> | null) => `${preference?.kind} ${preference?.channel}`, {
    message: '$property must name each kind and channel once',
  })
  preferences: Preference[];

  @ApiProperty({ type: QuietHours, nullable: true, description: 'null: at any hour' })
  @IsOptional()
  @Nested(() => QuietHours)
  quiet_hours: QuietHours | null = null;

  @ApiProperty({
    enum: BUNDLINGS,
    nullable: true,
    description: "together: waiting messages are sent as one; null: the tenant's setting",
  })
  @IsOptional()
  @IsIn(BUNDLINGS)
  bundling: Bundling | null = null;
}

/** The response: every optional kind on every channel. */
export interface PreferencesView {
  preferences: KindPreference[];
  quiet_hours: { from: string; to: string } | null;
  bundling: Bundling | null;
}
