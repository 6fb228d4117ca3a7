import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Patch,
  Post,
  Query,
  type Type,
} from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { ImportOptions } from '../imports/column-mapping.js';
import type { ColumnProposal } from '../imports/column-proposal.js';
import { ColumnsRoute, ImportRoute } from '../imports/import-route.js';
import type { ImportView } from '../imports/imports.dto.js';
import { Imports } from '../imports/imports.service.js';
import { Alerts } from '../notifications/alerts/alerts.service.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { Access, Caller, type TenantCaller } from '../platform/http/caller.js';
import { Creating, type CreatingRequest, Idempotency } from '../platform/http/idempotency.js';
import { IdParam } from '../platform/http/id-param.js';
import { type Upload, UploadBody } from '../platform/http/uploads/uploads.js';
import { type BulkBody, bulkBody, BulkResult } from '../platform/lists/bulk-act.js';
import type { CountedPage } from '../platform/lists/counted-page.js';
import { ApiCountedPage } from '../platform/lists/list-query.js';
import type { DueItem } from './due-item.js';
import { DueDays, type DueItemFilter, type DueItemPageQuery, type NewDueItem } from './due-item.dto.js';
import { dueItemFiles } from './due-item-files.js';
import type { DueItemKind } from './due-item-kind.js';
import { DueItemActs } from './due-item-acts.js';
import { DueItems } from './due-items.js';

/**
 * The REST routes of one kind of due items: CRUD, import, the act that ends an item, and its reopening.
 * @returns a controller, named after the kind: `DeadlinesController`
 */
export function dueItemsController<Item extends DueItem, Filter extends DueItemFilter>(
  kind: DueItemKind<Item, Filter>,
): Type<unknown> {
  const { entity } = kind;
  const files = dueItemFiles(kind);
  const title = `${kind.name.charAt(0).toUpperCase()}${kind.name.slice(1)}`;
  const bulk = bulkBody(`${title}Bulk`, kind.filter);

  @ApiTags(kind.name)
  @Controller(kind.name)
  class DueItemsController {
    private readonly items: DueItems<Item, Filter>;
    private readonly acts: DueItemActs<Item, Filter>;

    constructor(
      @Inject(Database) database: Database,
      @Inject(Clock) clock: Clock,
      @Inject(Alerts) alerts: Alerts,
      @Inject(Idempotency) private readonly idempotency: Idempotency,
      @Inject(Imports) private readonly imports: Imports,
    ) {
      this.items = new DueItems(kind, database, clock, alerts);
      this.acts = new DueItemActs(kind, database, clock, alerts);
      imports.register(files);
    }

    @Post()
    @Access('member', 'watched:write')
    @ApiCreatedResponse({ type: entity })
    create(
      @Caller() caller: TenantCaller,
      @Creating() request: CreatingRequest,
      @Body() body: NewDueItem,
    ): Promise<Item> {
      return this.idempotency.create(caller, request, (tx) => this.items.create(tx, body));
    }

    @ImportRoute()
    import(
      @Caller() caller: TenantCaller,
      @Creating() request: CreatingRequest,
      @UploadBody() upload: Upload,
      @Query() options: ImportOptions,
    ): Promise<ImportView> {
      return this.imports.receive(caller, request, upload, files, options);
    }

    @ColumnsRoute()
    columns(@UploadBody() upload: Upload): Promise<ColumnProposal> {
      return this.imports.propose(upload, files);
    }

    @Get()
    @Access('member', 'watched:read')
    @ApiCountedPage(entity)
    list(
      @Caller() caller: TenantCaller,
      @Query() query: Filter & DueItemPageQuery,
    ): Promise<CountedPage<Item>> {
      return this.items.list(caller.tenant_id, query);
    }

    @Get('days')
    @Access('member', 'watched:read')
    @ApiOperation({ summary: 'The number of items of each day' })
    @ApiOkResponse({ type: DueDays })
    days(@Caller() caller: TenantCaller, @Query() filter: Filter): Promise<DueDays> {
      return this.acts.days(caller.tenant_id, filter);
    }

    @Get(':id')
    @Access('member', 'watched:read')
    @ApiOkResponse({ type: entity })
    get(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<Item> {
      return this.items.get(caller.tenant_id, id);
    }

    @Patch(':id')
    @Access('member', 'watched:write')
    @ApiOkResponse({ type: entity })
    update(
      @Caller() caller: TenantCaller,
      @IdParam() id: string,
      @Body() patch: Partial<NewDueItem>,
    ): Promise<Item> {
      return this.items.update(caller.tenant_id, id, patch);
    }

    @Delete(':id')
    @HttpCode(204)
    @Access('member', 'watched:write')
    @ApiNoContentResponse()
    remove(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<void> {
      return this.items.remove(caller.tenant_id, id);
    }

    @Post(kind.end.act)
    @HttpCode(200)
    @Access('member', 'watched:write')
    @ApiOperation({ summary: `${kind.end.description}: many at once, by ids or by a filter` })
    @ApiBody({ type: bulk })
    @ApiOkResponse({ type: BulkResult })
    endMany(@Caller() caller: TenantCaller, @Body() body: BulkBody<Filter>): Promise<BulkResult> {
      return this.acts.end(caller.tenant_id, body);
    }

    @Post('reopen')
    @HttpCode(200)
    @Access('member', 'watched:write')
    @ApiOperation({ summary: 'Reopen many at once, by ids or by a filter' })
    @ApiBody({ type: bulk })
    @ApiOkResponse({ type: BulkResult })
    reopenMany(@Caller() caller: TenantCaller, @Body() body: BulkBody<Filter>): Promise<BulkResult> {
      return this.acts.reopen(caller.tenant_id, body);
    }

    @Post(`:id/${kind.end.act}`)
    @HttpCode(200)
    @Access('member', 'watched:write')
    @ApiOkResponse({ type: entity, description: `${kind.end.description}; repeating it changes nothing` })
    end(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<Item> {
      return this.items.end(caller.tenant_id, id);
    }

    @Post(':id/reopen')
    @HttpCode(200)
    @Access('member', 'watched:write')
    @ApiOkResponse({ type: entity, description: 'Reopen; repeating it changes nothing' })
    reopen(@Caller() caller: TenantCaller, @IdParam() id: string): Promise<Item> {
      return this.items.reopen(caller.tenant_id, id);
    }
  }

  // The metadata TypeScript would emit for the kind's classes: the validation pipe and OpenAPI read it.
  acceptType(DueItemsController, 'create', 2, kind.newItem);
  acceptType(DueItemsController, 'list', 1, kind.query);
  acceptType(DueItemsController, 'days', 1, kind.filter);
  acceptType(DueItemsController, 'endMany', 1, bulk);
  acceptType(DueItemsController, 'reopenMany', 1, bulk);
  acceptType(DueItemsController, 'update', 2, kind.patch);
  Object.defineProperty(DueItemsController, 'name', { value: `${title}Controller` });
  return DueItemsController;
}

/** Sets the class of one parameter of a method, as `emitDecoratorMetadata` does. */
function acceptType(controller: Type<unknown>, method: string, place: number, type: Type<unknown>): void {
  const prototype = controller.prototype as object;
  const types = Reflect.getMetadata('design:paramtypes', prototype, method) as unknown[];
  Reflect.defineMetadata('design:paramtypes', types.with(place, type), prototype, method);
}
