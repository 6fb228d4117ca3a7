import { ApiProperty } from '@nestjs/swagger';
import { Column, Entity } from 'typeorm';
import { DueItem } from '../due-items/due-item.js';

export const TASK_STATUSES = ['open', 'overdue', 'done'] as const;

/** Work that somebody at the firm has to finish by a date. */
@Entity('tasks')
export class Task extends DueItem {
  @ApiProperty({ enum: TASK_STATUSES })
  @Column('text')
  status: (typeof TASK_STATUSES)[number];

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  completed_at: Date | null;

  override get endedAt(): Date | null {
    return this.completed_at;
  }

  override settle(endedAt: Date | null, today: string): void {
    this.completed_at = endedAt;
    this.status = endedAt !== null ? 'done' : this.due_on < today ? 'overdue' : 'open';
  }
}
