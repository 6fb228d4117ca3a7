import { ApiProperty } from '@nestjs/swagger';
import { plainToInstance } from 'class-transformer';
import { IsIn } from 'class-validator';
import { type Bundling, BUNDLINGS } from '../../contracts/bundling.js';
import { EmailAddresses } from '../../platform/http/email-address.js';
import { BackupSettings } from './backups.js';
import { LimitSettings } from './limits.js';
import { OperatingHoursSettings } from './operating-hours.js';
import { RetentionSettings } from './retention.js';
import { ScheduleSettings } from './schedule.js';
import { NullableSection } from './section.js';
import { Nested } from '../../platform/http/nested.js';
import { StageSettings } from './stages.js';

/** The settings of a tenant, one file per section. Stored as written; missing values have these defaults. */
export class TenantSettings {
  @ApiProperty()
  @Nested(() => ScheduleSettings)
  schedule: ScheduleSettings = new ScheduleSettings();

  @ApiProperty({ type: OperatingHoursSettings, nullable: true, description: 'null: at any hour' })
  @NullableSection(() => OperatingHoursSettings)
  operating_hours: OperatingHoursSettings | null = null;

  @ApiProperty()
  @Nested(() => LimitSettings)
  limits: LimitSettings = new LimitSettings();

  @ApiProperty({
    enum: BUNDLINGS,
    description: 'together: messages that wait for one person are sent as one. Users can override it',
  })
  @IsIn(BUNDLINGS)
  bundling: Bundling = 'together';

  @ApiProperty()
  @Nested(() => StageSettings)
  stages: StageSettings = new StageSettings();

  @ApiProperty({
    type: [String],
    maxItems: 20,
    description: 'Recipients of incidents. If empty: the admins, or ADMIN_EMAIL_RECIPIENT without admins',
  })
  @EmailAddresses(20)
  alert_recipients: string[] = [];

  @ApiProperty()
  @Nested(() => BackupSettings)
  backups: BackupSettings = new BackupSettings();

  @ApiProperty()
  @Nested(() => RetentionSettings)
  retention: RetentionSettings = new RetentionSettings();
}

/** The settings in force: stored values over the defaults. */
export function effectiveSettings(stored: unknown): TenantSettings {
  return plainToInstance(TenantSettings, stored ?? {}, { exposeDefaultValues: true });
}
