import { ApiProperty } from '@nestjs/swagger';

/** A caught mail in a list. */
export class CaughtMailLine {
  @ApiProperty({ example: '20260302T080001250Z-5f0c9a1e' })
  id: string;

  @ApiProperty({ description: 'From the envelope' })
  from: string;

  @ApiProperty({ type: [String], description: 'From the envelope' })
  to: string[];

  @ApiProperty()
  subject: string;

  @ApiProperty({ type: String, format: 'date-time' })
  received_at: string;
}

/** A caught mail as it arrived. */
export class CaughtMailView extends CaughtMailLine {
  @ApiProperty({ description: 'Empty: the mail has no HTML' })
  html: string;

  @ApiProperty({ description: 'Empty: the mail has no text' })
  text: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    description: 'Names in lower case, values decoded',
  })
  headers: Record<string, string>;
}

export class CaughtMailPage {
  @ApiProperty({ type: [CaughtMailLine] })
  data: CaughtMailLine[];

  @ApiProperty({ type: String, nullable: true })
  next_cursor: string | null;
}
