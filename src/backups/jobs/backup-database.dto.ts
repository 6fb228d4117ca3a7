import { ApiProperty } from '@nestjs/swagger';

/** Identifies a database and its place. */
export class BackupDatabase {
  @ApiProperty()
  agent_id: string;

  @ApiProperty()
  database_name: string;

  @ApiProperty()
  company_name: string;

  @ApiProperty()
  city: string;

  @ApiProperty({ type: String, nullable: true })
  neighborhood: string | null;
}
