import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsInt, Matches, Max, Min } from 'class-validator';
import type { ScheduleHours } from '../../contracts/jobs.js';
import { TIME, timeMessage } from './time-of-day.js';

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

  @ApiProperty({ description: 'The daily backup check: a scan, and reminders of open problems' })
  @Matches(TIME, timeMessage)
  check_backups: string = '09:00';

  @ApiProperty({ minimum: 5, maximum: 1440, description: 'How often the backup inbox is scanned' })
  @IsInt()
  @Min(5)
  @Max(1440)
  scan_backups_minutes: number = 15;

  @ApiProperty({ minimum: 5, maximum: 60, description: 'How often due reminders are sent' })
  @IsInt()
  @Min(5)
  @Max(60)
  process_reminders_minutes: number = 60;
}
