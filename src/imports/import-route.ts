import { applyDecorators, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiCreatedResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Access, type AccessRule } from '../platform/http/caller.js';
import { TakesUpload } from '../platform/http/uploads/uploads.js';
import { ColumnProposal } from './column-proposal.js';
import { ImportView } from './imports.dto.js';

const EXAMPLE = 'titre;échéance;client\nTVA CA3;24/04/2026;Boulangerie Martin\n';

/** How a kind's route differs from that of the due items. */
export interface ImportRouteOptions {
  who?: AccessRule['who'];
  /** What a line of NDJSON may contain beyond the creating POST. */
  beyond?: string;
  /** A sample file of a few lines. */
  example?: string;
}

/** `POST <room>/import/columns`. */
export function ColumnsRoute({
  who = 'member',
  example = EXAMPLE,
}: Omit<ImportRouteOptions, 'beyond'> = {}): MethodDecorator {
  return applyDecorators(
    Post('import/columns'),
    HttpCode(200),
    TakesUpload(),
    Access(who, 'watched:write', { changes: false }),
    ApiOperation({
      summary: 'Propose the columns of a file',
      description: 'The beginning of a CSV file, at most 256 KB, up to the end of a line. Nothing is stored.',
    }),
    ApiConsumes('text/csv'),
    ApiBody({ schema: { type: 'string', format: 'binary', example } }),
    ApiOkResponse({ type: ColumnProposal }),
  );
}

/** `POST <room>/import`: the same for every kind. */
export function ImportRoute({
  who = 'member',
  beyond = ', and `responsible_email`',
  example = EXAMPLE,
}: ImportRouteOptions = {}): MethodDecorator {
  return applyDecorators(
    Post('import'),
    TakesUpload(),
    Access(who, 'watched:write'),
    ApiOperation({
      summary: 'Import a file',
      description:
        'CSV (UTF-8, UTF-16 or Windows-1252; separated by `;`, `,` or tabs; French or English column names) ' +
        `or NDJSON (one object per line, with the fields of the creating POST${beyond}). Up to 100 MB and ` +
        '1,000,000 lines. Valid lines are applied in one transaction; `GET imports/{id}/faults` lists the ' +
        'others. Importing the same file again creates nothing.',
    }),
    ApiConsumes('text/csv', 'application/x-ndjson'),
    ApiBody({
      description: 'The content of the file',
      schema: { type: 'string', format: 'binary', example },
    }),
    ApiCreatedResponse({ type: ImportView, description: 'The import is done, or staged if it is a dry run' }),
  );
}
