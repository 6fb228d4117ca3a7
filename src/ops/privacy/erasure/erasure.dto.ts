import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsUUID } from 'class-validator';
import { Line } from '../../../platform/http/text.js';
import { ERASURE_STATES, ERASURE_WAITS, type Erasure, type ErasureWait } from './erasure.js';

/** Exactly one of them. */
export class ErasureRequest {
  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  user_id?: string;

  @ApiPropertyOptional({
    maxLength: 254,
    description:
      'An e-mail address, or a phone number with its country code. If a user has it, that user is erased',
  })
  @IsOptional()
  @Line(254)
  address?: string;
}

export class ErasureView implements Erasure {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ enum: ERASURE_STATES })
  state: Erasure['state'];

  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'The erased user; null: an address of no user',
  })
  user_id: string | null;

  @ApiProperty({ example: 'user:0198a2b3-0000-7000-8000-000000000000' })
  requested_by: string;

  @ApiProperty({
    type: String,
    nullable: true,
    example: 'texts_of_notifications',
    description: 'The step that is next; null before the first and after the last',
  })
  step: string | null;

  @ApiProperty({
    enum: ERASURE_WAITS,
    nullable: true,
    description:
      '`sending`: messages whose outcomes will have their texts. `cleanup`: it is writing archives. `locks`: rows ' +
      'that others hold. `failure`: a step failed and is tried again; the log says why',
  })
  waiting_for: ErasureWait | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    example: { deliveries: 12, notifications: 14, archives: 1, archived_rows: 40 },
    description: 'Rows by table, archives, and rows of archives',
  })
  counts: Record<string, number>;

  @ApiProperty({
    type: [String],
    description: 'Damaged archives, with the reason: they were not searched. Delete their files',
  })
  unreadable_archives: string[];

  @ApiProperty()
  created_at: Date;

  @ApiProperty({ type: Date, nullable: true })
  finished_at: Date | null;
}

export class ErasureList {
  @ApiProperty({ type: [ErasureView] })
  data: ErasureView[];
}
