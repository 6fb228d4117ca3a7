import { ApiProperty } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import { NullableSection } from './section.js';

/**
 * Which stored backups of a database are kept: the last ones, and the newest of each of the last weeks and months (in
 * the tenant's calendar). The last good one is never removed.
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
    description: 'A backup that keeps failing is announced again after this',
  })
  @IsInt()
  @Min(1)
  @Max(720)
  repeat_after_hours: number = 24;

  @ApiProperty({ type: BackupRetentionSettings, nullable: true, description: 'null: all are kept' })
  @NullableSection(() => BackupRetentionSettings)
  retention: BackupRetentionSettings | null = null;
}
