import { ApiProperty } from '@nestjs/swagger';
import { Column, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';

/** An item with a due date and a responsible user, until it is done or received. */
export abstract class DueItem {
  @ApiProperty({ type: String, format: 'uuid' })
  @PrimaryColumn('uuid')
  tenant_id: string;

  @ApiProperty({ type: String, format: 'uuid' })
  @PrimaryGeneratedColumn('uuid')
  id: string;

  @ApiProperty({ type: String, nullable: true, description: 'Its id in the source system' })
  @Column('text', { nullable: true })
  external_id: string | null;

  @ApiProperty({ type: String })
  @Column('text')
  title: string;

  @ApiProperty({ type: String, nullable: true })
  @Column('text', { nullable: true })
  client_name: string | null;

  @ApiProperty({ type: String, nullable: true })
  @Column('text', { nullable: true })
  description: string | null;

  @ApiProperty({ type: String, format: 'date', description: "A day in the tenant's zone" })
  @Column('date')
  due_on: string;

  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: "The user to notify; without one the tenant's admins are notified",
  })
  @Column('uuid', { nullable: true })
  responsible_id: string | null;

  @ApiProperty({ type: String, format: 'date-time' })
  @Column({ type: 'timestamptz', precision: 3 })
  created_at: Date;

  @ApiProperty({ type: String, format: 'date-time' })
  @Column({ type: 'timestamptz', precision: 3 })
  updated_at: Date;

  /** When it ended (done, received); null while it is open. */
  abstract get endedAt(): Date | null;

  /** Ends it, or reopens it (null), with the resulting status on this civil date in the tenant's zone. */
  abstract settle(endedAt: Date | null, today: string): void;
}
