import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { LOCALES } from '../../contracts/locales.js';
import { ApiPage } from '../../platform/http/api-page.js';
import { Access, Caller, type TenantCaller } from '../../platform/http/caller.js';
import type { Page } from '../../platform/http/cursor.js';
import {
  LastFact,
  TemplateChange,
  TemplateDraft,
  TemplatePreview,
  TenantTemplateView,
} from './tenant-templates.dto.js';
import { TenantTemplatesService } from './tenant-templates.service.js';

const KIND = {
  name: 'kind',
  description: 'A kind, or `message.<name>`: a message template for `POST notifications`',
  example: 'message.rappel_facture',
};
const LOCALE = { name: 'locale', enum: LOCALES };

/** A tenant's own words (docs/templates.md). */
@ApiTags('tenant')
@Controller('tenant/templates')
export class TenantTemplatesController {
  constructor(private readonly templates: TenantTemplatesService) {}

  /** Every kind in every locale, then the message templates, in one page. */
  @Get()
  @Access('admin', 'admin')
  @ApiPage(TenantTemplateView)
  list(@Caller() caller: TenantCaller): Promise<Page<TenantTemplateView>> {
    return this.templates.list(caller.tenant_id);
  }

  @Get(':kind/:locale')
  @Access('admin', 'admin')
  @ApiParam(KIND)
  @ApiParam(LOCALE)
  @ApiOkResponse({ type: TenantTemplateView })
  get(
    @Caller() caller: TenantCaller,
    @Param('kind') kind: string,
    @Param('locale') locale: string,
  ): Promise<TenantTemplateView> {
    return this.templates.get(caller.tenant_id, kind, locale);
  }

  @Put(':kind/:locale')
  @Access('admin', 'admin')
  @ApiParam(KIND)
  @ApiParam(LOCALE)
  @ApiOkResponse({ type: TenantTemplateView })
  change(
    @Caller() caller: TenantCaller,
    @Param('kind') kind: string,
    @Param('locale') locale: string,
    @Body() body: TemplateChange,
  ): Promise<TenantTemplateView> {
    return this.templates.change(caller, kind, locale, body);
  }

  @Delete(':kind/:locale')
  @HttpCode(204)
  @Access('admin', 'admin')
  @ApiParam(KIND)
  @ApiParam(LOCALE)
  @ApiNoContentResponse({ description: 'The built-in words are used again; a message template is deleted' })
  reset(
    @Caller() caller: TenantCaller,
    @Param('kind') kind: string,
    @Param('locale') locale: string,
  ): Promise<void> {
    return this.templates.reset(caller.tenant_id, kind, locale);
  }

  @Get(':kind/:locale/last-fact')
  @Access('admin', 'admin')
  @ApiOperation({ summary: 'The data of the last notification of this kind, to preview a draft' })
  @ApiParam(KIND)
  @ApiParam(LOCALE)
  @ApiOkResponse({ type: LastFact })
  lastFact(
    @Caller() caller: TenantCaller,
    @Param('kind') kind: string,
    @Param('locale') locale: string,
  ): Promise<LastFact> {
    return this.templates.lastFact(caller.tenant_id, kind, locale);
  }

  // Editors ask for one while somebody types.
  @Post(':kind/:locale/preview')
  @HttpCode(200)
  @Access('admin', 'admin', { changes: false })
  @ApiParam(KIND)
  @ApiParam(LOCALE)
  @ApiOkResponse({ type: TemplatePreview })
  preview(
    @Caller() caller: TenantCaller,
    @Param('kind') kind: string,
    @Param('locale') locale: string,
    @Body() body: TemplateDraft,
  ): Promise<TemplatePreview> {
    return this.templates.preview(caller.tenant_id, kind, locale, body);
  }
}
