import { ApiProperty } from '@nestjs/swagger';
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { LOCALES, type Locale } from '../contracts/locales.js';
import { TENANT_KINDS, type TenantKind } from './tenant-kinds.js';

/** A firm or a company, to which everything else belongs. `effectiveSettings` reads its settings. */
@Entity('tenants')
export class Tenant {
  @ApiProperty({ type: String, format: 'uuid' })
  @PrimaryGeneratedColumn('uuid')
  id: string;

  @ApiProperty({ type: String, description: 'Identifies the tenant at login and in paths; it never changes' })
  @Column('text')
  slug: string;

  @ApiProperty({ type: String })
  @Column('text')
  name: string;

  @ApiProperty({ enum: TENANT_KINDS })
  @Column('text')
  kind: TenantKind;

  @ApiProperty({ type: String, example: 'Europe/Paris' })
  @Column('text')
  time_zone: string;

  @ApiProperty({ enum: LOCALES })
  @Column('text')
  locale: Locale;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Messages per channel and hour; null: LIMIT_PER_TENANT_PER_HOUR. 0: no limit',
  })
  @Column({ type: 'integer', nullable: true })
  limit_per_hour: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Messages per channel and 24 hours; null: LIMIT_PER_TENANT_PER_DAY. 0: no limit',
  })
  @Column({ type: 'integer', nullable: true })
  limit_per_day: number | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'Scheduled jobs before this instant are not run: creation, or the end of a suspension',
  })
  @Column({ type: 'timestamptz', precision: 3 })
  schedule_from: Date;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  suspended_at: Date | null;

  @ApiProperty({ type: String, format: 'date-time' })
  @Column({ type: 'timestamptz', precision: 3 })
  created_at: Date;

  @ApiProperty({ type: String, format: 'date-time' })
  @Column({ type: 'timestamptz', precision: 3 })
  updated_at: Date;
}
