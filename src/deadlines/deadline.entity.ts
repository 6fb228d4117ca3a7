import { ApiProperty } from '@nestjs/swagger';
import { Column, Entity } from 'typeorm';
import { DueItem } from '../due-items/due-item.js';

export const DEADLINE_STATUSES = ['pending', 'overdue', 'done'] as const;

/** A date by which a firm must have done something for a client: a declaration, a payment. */
@Entity('deadlines')
export class Deadline extends DueItem {
  @ApiProperty({ type: String, nullable: true })
  @Column('text', { nullable: true })
  category: string | null;

  @ApiProperty({ enum: DEADLINE_STATUSES })
  @Column('text')
  status: (typeof DEADLINE_STATUSES)[number];

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  completed_at: Date | null;

  override get endedAt(): Date | null {
    return this.completed_at;
  }

  override settle(endedAt: Date | null, today: string): void {
    this.completed_at = endedAt;
    this.status = endedAt !== null ? 'done' : this.due_on < today ? 'overdue' : 'pending';
  }
}
