import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsString, Matches } from 'class-validator';

/** An agent's name. It is also a folder's name, so it cannot contain a path. */
export const AGENT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** An agent's name, in a request. */
export function AgentId(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ pattern: AGENT_ID.source, example: 'srv-lyon-01' }),
    IsString(),
    Matches(AGENT_ID, {
      message:
        '$property must be 1 to 100 letters, digits, dots, hyphens and underscores, the first a letter or a digit',
    }),
  );
}
