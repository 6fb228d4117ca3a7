import { ApiProperty } from '@nestjs/swagger';
import { Column, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { LOCALES, type Locale } from '../contracts/locales.js';

export const USER_ROLES = ['member', 'admin'] as const;
export type UserRole = (typeof USER_ROLES)[number];

/** A person of a tenant, without the password hash: only credentials.ts reads and writes that. */
@Entity('users')
export class User {
  @ApiProperty({ type: String, format: 'uuid' })
  @PrimaryColumn('uuid')
  tenant_id: string;

  @ApiProperty({ type: String, format: 'uuid' })
  @PrimaryGeneratedColumn('uuid')
  id: string;

  @ApiProperty({ type: String, description: 'Unique within the tenant, case-insensitive' })
  @Column('text')
  email: string;

  @ApiProperty({ type: String })
  @Column('text')
  name: string;

  @ApiProperty({ enum: USER_ROLES })
  @Column('text')
  role: UserRole;

  @ApiProperty({ type: String, nullable: true, example: '+33612345678' })
  @Column('text', { nullable: true })
  phone: string | null;

  @ApiProperty({ enum: LOCALES, nullable: true, description: "null: the tenant's" })
  @Column('text', { nullable: true })
  locale: Locale | null;

  @ApiProperty({ type: String, nullable: true, description: "null: the tenant's" })
  @Column('text', { nullable: true })
  time_zone: string | null;

  @ApiProperty({ type: String, format: 'date-time' })
  @Column({ type: 'timestamptz', precision: 3 })
  created_at: Date;

  @ApiProperty({ type: String, format: 'date-time' })
  @Column({ type: 'timestamptz', precision: 3 })
  updated_at: Date;
}
