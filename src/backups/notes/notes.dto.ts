import { ApiProperty } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { Text } from '../../platform/http/text.js';

/** Characters. */
const MAX_NOTE = 2_000;

/** The text of a note. */
export class NewBackupNote {
  @ApiProperty({
    type: String,
    maxLength: MAX_NOTE,
    example: 'Server moved on 3 March; the agent gets a new disk.',
  })
  // Optional here, so that an unknown job is reported before a missing text.
  @IsOptional()
  @Text(MAX_NOTE)
  text?: string | null;
}

/** What an admin noted about an expected backup. */
export class BackupNote {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ format: 'uuid' })
  job_id: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Name; null: a program, or a user who was erased',
  })
  author: string | null;

  @ApiProperty()
  text: string;

  @ApiProperty()
  created_at: Date;
}
