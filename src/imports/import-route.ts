import { applyDecorators, Post } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiCreatedResponse, ApiOperation } from '@nestjs/swagger';
import { Access } from '../platform/http/caller.js';
import { TakesUpload } from '../platform/http/uploads.js';
import { ImportView } from './imports.dto.js';

/** `POST <room>/import`: the same for every kind. */
export function ImportRoute(): MethodDecorator {
  return applyDecorators(
    Post('import'),
    TakesUpload(),
    Access('member', 'watched:write'),
    ApiOperation({
      summary: 'Import a file',
      description:
        'CSV (UTF-8, UTF-16 or Windows-1252; separated by `;`, `,` or tabs; French or English names of columns) ' +
        'or NDJSON (one object a line, as for the creating POST, and `responsible_email`). Up to 100 MB and ' +
        '1,000,000 lines. Good lines land together in one transaction; `GET imports/{id}/faults` names the ' +
        'others. The same file again creates nothing.',
    }),
    ApiConsumes('text/csv', 'application/x-ndjson'),
    ApiBody({
      description: 'The file itself',
      schema: {
        type: 'string',
        format: 'binary',
        example: 'titre;échéance;client\nTVA CA3;24/04/2026;Boulangerie Martin\n',
      },
    }),
    ApiCreatedResponse({ type: ImportView, description: 'Done: what came of it' }),
  );
}
