import { ApiProperty } from '@nestjs/swagger';
import { Column, Entity } from 'typeorm';
import { DueItem } from '../../due-items/due-item.js';

export const TICKET_STATUSES = ['open', 'settled'] as const;

/** A fine that its owner has to pay. The owner is its responsible user. */
@Entity('tickets')
export class Ticket extends DueItem {
  @ApiProperty({ type: String, nullable: true, description: 'The number on the ticket' })
  @Column('text', { nullable: true })
  reference: string | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: "In the currency's smallest unit: 13500 is 135 €",
  })
  @Column('integer', { nullable: true })
  amount_cents: number | null;

  @ApiProperty({ type: String, nullable: true, description: 'ISO 4217; null is EUR' })
  @Column('text', { nullable: true })
  currency: string | null;

  @ApiProperty({ enum: TICKET_STATUSES })
  @Column('text')
  status: (typeof TICKET_STATUSES)[number];

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  settled_at: Date | null;

  override get endedAt(): Date | null {
    return this.settled_at;
  }

  override settle(endedAt: Date | null): void {
    this.settled_at = endedAt;
    this.status = endedAt !== null ? 'settled' : 'open';
  }
}
