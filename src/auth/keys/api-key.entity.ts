import { ApiProperty } from '@nestjs/swagger';
import { Column, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { type Scope, SCOPES } from '../../contracts/scopes.js';

/** What is stored about an API key: everything except the key. */
@Entity('api_keys')
export class ApiKey {
  @ApiProperty({ type: String, format: 'uuid' })
  @PrimaryColumn('uuid')
  tenant_id: string;

  @ApiProperty({ type: String, format: 'uuid' })
  @PrimaryGeneratedColumn('uuid')
  id: string;

  @ApiProperty({ type: String })
  @Column('text')
  name: string;

  @Column('bytea', { select: false })
  key_hash?: Buffer;

  @ApiProperty({ enum: SCOPES, isArray: true })
  @Column('text', { array: true })
  scopes: Scope[];

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The agent that reports with this key, which allows nothing else',
  })
  @Column('text', { nullable: true })
  agent_id: string | null;

  @ApiProperty({ type: String, format: 'date-time' })
  @Column({ type: 'timestamptz', precision: 3 })
  created_at: Date;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Accurate to the minute' })
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  last_used_at: Date | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  expires_at: Date | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  revoked_at: Date | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  rotated_at: Date | null;

  @Column('bytea', { select: false, nullable: true })
  previous_hash?: Buffer | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'The previous secret works until then',
  })
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  previous_until: Date | null;
}
