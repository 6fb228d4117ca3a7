import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { plainToInstance, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateNested,
  type ValidationArguments,
} from 'class-validator';
import { type Bundling, BUNDLINGS } from '../contracts/bundling.js';
import type { ScheduleHours } from '../contracts/jobs.js';
import { EmailAddresses } from '../platform/http/email-address.js';

/** HH:mm, in the tenant's zone. */
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;
const END_TIME = /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/;
const timeMessage = { message: '$property must be a time of day, HH:mm' };

/** The end of operating hours: any other time of day than `from`; an earlier one is the next day's. */
function DiffersFromFrom(): PropertyDecorator {
  const from = ({ object }: ValidationArguments) => (object as Partial<OperatingHoursSettings>).from;
  return ValidateBy({
    name: 'differsFromFrom',
    validator: {
      validate: (to: unknown, where) => where === undefined || to !== from(where),
      defaultMessage: () => '$property must differ from from: 00:00 to 24:00 is a whole day',
    },
  });
}

/** When the jobs run, in the tenant's zone. */
export class ScheduleSettings implements ScheduleHours {
  @ApiProperty({ type: [String], example: ['09:00', '14:00'] })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(24)
  @ArrayUnique()
  @Matches(TIME, { each: true, ...timeMessage })
  check_notifications: string[] = ['09:00', '14:00'];

  @ApiProperty({ description: 'ISO day of the week, Monday is 1' })
  @IsInt()
  @Min(1)
  @Max(7)
  weekly_summary_day: number = 1;

  @ApiProperty()
  @Matches(TIME, timeMessage)
  weekly_summary: string = '08:00';

  @ApiProperty()
  @Matches(TIME, timeMessage)
  update_statuses: string = '00:00';

  @ApiProperty()
  @Matches(TIME, timeMessage)
  cleanup: string = '02:00';

  @ApiProperty({ description: 'The daily backup check: a scan, and reminders of what is still wrong' })
  @Matches(TIME, timeMessage)
  check_backups: string = '09:00';

  @ApiProperty({ minimum: 5, maximum: 1440, description: 'How often the backup inbox is scanned' })
  @IsInt()
  @Min(5)
  @Max(1440)
  scan_backups_minutes: number = 15;
}

/** When mails and messages may leave; critical ones always do. */
export class OperatingHoursSettings {
  @ApiProperty({ type: [Number], description: 'ISO days of the week on which they begin' })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(7)
  @ArrayUnique()
  @IsInt({ each: true })
  @Min(1, { each: true })
  @Max(7, { each: true })
  days: number[] = [1, 2, 3, 4, 5];

  @ApiProperty({ example: '08:00' })
  @Matches(TIME, timeMessage)
  from: string;

  @ApiProperty({
    example: '19:00',
    description: "24:00 is the end of the day; before `from` it is the next day's",
  })
  @Matches(END_TIME, timeMessage)
  @DiffersFromFrom()
  to: string;
}

/** Overrides of the installation's limits; null takes those. 0: no limit. */
export class LimitSettings {
  @ApiProperty({ type: Number, nullable: true })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  per_user_per_hour: number | null = null;

  @ApiProperty({ type: Number, nullable: true })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  per_user_per_day: number | null = null;
}

/** A list of stages, in days; `latest` is the largest that makes sense. */
function Stages(latest: number): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: [Number] }),
    IsArray(),
    ArrayMinSize(1),
    ArrayMaxSize(20),
    ArrayUnique(),
    IsInt({ each: true }),
    Min(-365, { each: true }),
    Max(latest, { each: true }),
  );
}

/** When to speak: days before the due date, 0 the day itself, negative after it. */
export class StageSettings {
  @Stages(365)
  deadlines: number[] = [7, 3, 1, 0, -1];

  @Stages(365)
  documents: number[] = [0];

  @Stages(-1)
  tasks: number[] = [-1];
}

/**
 * Which stored backups of a database are kept: the last ones, and the newest of each of the last weeks and months
 * (of the tenant's calendar). The last good one is never removed.
 */
export class BackupRetentionSettings {
  @ApiProperty({ minimum: 1, maximum: 1000 })
  @IsInt()
  @Min(1)
  @Max(1_000)
  keep_last: number;

  @ApiProperty({ minimum: 0, maximum: 520 })
  @IsInt()
  @Min(0)
  @Max(520)
  keep_weekly: number = 0;

  @ApiProperty({ minimum: 0, maximum: 240 })
  @IsInt()
  @Min(0)
  @Max(240)
  keep_monthly: number = 0;
}

export class BackupSettings {
  @ApiProperty({
    minimum: 1,
    maximum: 720,
    description: 'A backup that stays wrong is told again after this',
  })
  @IsInt()
  @Min(1)
  @Max(720)
  repeat_after_hours: number = 24;

  @ApiProperty({ type: BackupRetentionSettings, nullable: true, description: 'null: every one is kept' })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => BackupRetentionSettings)
  retention: BackupRetentionSettings | null = null;
}

/** What a tenant decides for itself. Stored as written; what is not written has these defaults. */
export class TenantSettings {
  @ApiProperty()
  @IsObject()
  @ValidateNested()
  @Type(() => ScheduleSettings)
  schedule: ScheduleSettings = new ScheduleSettings();

  @ApiProperty({ type: OperatingHoursSettings, nullable: true, description: 'null: at any hour' })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => OperatingHoursSettings)
  operating_hours: OperatingHoursSettings | null = null;

  @ApiProperty()
  @IsObject()
  @ValidateNested()
  @Type(() => LimitSettings)
  limits: LimitSettings = new LimitSettings();

  @ApiProperty({
    enum: BUNDLINGS,
    description: 'together: what waits for one person leaves as one message. A user may choose otherwise',
  })
  @IsIn(BUNDLINGS)
  bundling: Bundling = 'together';

  @ApiProperty()
  @IsObject()
  @ValidateNested()
  @Type(() => StageSettings)
  stages: StageSettings = new StageSettings();

  @ApiProperty({
    type: [String],
    maxItems: 20,
    description: 'Who is told of incidents; without anybody the admins, else ADMIN_EMAIL_RECIPIENT',
  })
  @EmailAddresses(20)
  alert_recipients: string[] = [];

  @ApiProperty()
  @IsObject()
  @ValidateNested()
  @Type(() => BackupSettings)
  backups: BackupSettings = new BackupSettings();
}

/** The settings in force: those stored, over the defaults. */
export function effectiveSettings(stored: unknown): TenantSettings {
  return plainToInstance(TenantSettings, stored ?? {}, { exposeDefaultValues: true });
}
