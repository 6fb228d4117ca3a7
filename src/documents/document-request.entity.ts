import { ApiProperty } from '@nestjs/swagger';
import { Column, Entity } from 'typeorm';
import { DueItem } from '../due-items/due-item.js';

export const DOCUMENT_STATUSES = ['missing', 'received'] as const;

/** A document requested from a client, and the day it is expected. */
@Entity('document_requests')
export class DocumentRequest extends DueItem {
  @ApiProperty({ enum: DOCUMENT_STATUSES })
  @Column('text')
  status: (typeof DOCUMENT_STATUSES)[number];

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  received_at: Date | null;

  override get endedAt(): Date | null {
    return this.received_at;
  }

  /** A document is missing whether or not it is late: the day does not matter. */
  override settle(endedAt: Date | null): void {
    this.received_at = endedAt;
    this.status = endedAt !== null ? 'received' : 'missing';
  }
}
