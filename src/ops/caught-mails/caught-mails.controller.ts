import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { notFound } from '../../platform/errors/problem.js';
import { Access } from '../../platform/http/caller.js';
import { decodeCursor, type Page, pageOf } from '../../platform/http/cursor.js';
import { PageQuery } from '../../platform/http/page.dto.js';
import { type CaughtMail, CaughtMailFolder, isCaughtMailId } from './caught-mail-folder.js';
import { CaughtMailLine, CaughtMailPage, CaughtMailView } from './caught-mails.dto.js';

/** What the mail catcher of a development installation received. Without CAUGHT_MAILS_DIR both routes answer 404. */
@Controller('admin/caught-mails')
@Access('operator')
export class CaughtMailsController {
  private readonly folder: CaughtMailFolder | null;

  constructor(@Inject(CONFIG) { caughtMailsDir }: Config) {
    this.folder = caughtMailsDir === null ? null : new CaughtMailFolder(caughtMailsDir);
  }

  @Get()
  @ApiOperation({
    summary: 'Mails that the mail catcher received, newest first; for development',
    description: 'The newest 500. Answers 404 without CAUGHT_MAILS_DIR.',
  })
  @ApiOkResponse({ type: CaughtMailPage })
  async list(@Query() { limit, cursor }: PageQuery): Promise<Page<CaughtMailLine>> {
    const [before = null] = cursor === undefined ? [] : decodeCursor(cursor, [isCaughtMailId]);
    const mails = await this.opened().newest(limit + 1, before);
    return pageOf(mails, limit, ({ id }) => [id], lineOf);
  }

  @Get(':id')
  @ApiOperation({ summary: 'A caught mail as it arrived; for development' })
  @ApiParam({ name: 'id', schema: { type: 'string' } })
  @ApiOkResponse({ type: CaughtMailView })
  async get(@Param('id') id: string): Promise<CaughtMailView> {
    const mail = await this.opened().read(id);
    if (mail === null) throw notFound();
    return mail;
  }

  private opened(): CaughtMailFolder {
    if (this.folder === null) throw notFound();
    return this.folder;
  }
}

function lineOf({ id, from, to, subject, received_at }: CaughtMail): CaughtMailLine {
  return { id, from, to, subject, received_at };
}
