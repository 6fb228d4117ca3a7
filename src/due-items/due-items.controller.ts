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
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ImportRoute } from '../imports/import-route.js';
import type { ImportView } from '../imports/imports.dto.js';
import { Imports } from '../imports/imports.service.js';
import { Alerts } from '../notifications/alerts/alerts.service.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { Access, Caller, type TenantCaller } from '../platform/http/caller.js';
import { ApiPage } from '../platform/http/api-page.js';
import type { Page } from '../platform/http/cursor.js';
import { Creating, type CreatingRequest, Idempotency } from '../platform/http/idempotency.js';
import { IdParam } from '../platform/http/id-param.js';
import { type Upload, UploadBody } from '../platform/http/uploads.js';
import type { DueItem } from './due-item.js';
import type { DueItemQuery, NewDueItem } from './due-item.dto.js';
import { dueItemFiles } from './due-item-files.js';
import type { DueItemKind } from './due-item-kind.js';
import { DueItems } from './due-items.js';

/**
 * The REST routes of one kind of due items: CRUD, import, the act that ends an item, and its reopening.
 * @returns a controller, named after the kind: `DeadlinesController`
 */
export function dueItemsController<Item extends DueItem, ItemQuery extends DueItemQuery>(
  kind: DueItemKind<Item, ItemQuery>,
): Type<unknown> {
  const { entity } = kind;
  const files = dueItemFiles(kind);

  @ApiTags(kind.name)
  @Controller(kind.name)
  class DueItemsController {
    private readonly items: DueItems<Item, ItemQuery>;

    constructor(
      @Inject(Database) database: Database,
      @Inject(Clock) clock: Clock,
      @Inject(Alerts) alerts: Alerts,
      @Inject(Idempotency) private readonly idempotency: Idempotency,
      @Inject(Imports) private readonly imports: Imports,
    ) {
      this.items = new DueItems(kind, database, clock, alerts);
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
    ): Promise<ImportView> {
      return this.imports.receive(caller, request, upload, files);
    }

    @Get()
    @Access('member', 'watched:read')
    @ApiPage(entity)
    list(@Caller() caller: TenantCaller, @Query() query: ItemQuery): Promise<Page<Item>> {
      return this.items.list(caller.tenant_id, query);
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
  acceptType(DueItemsController, 'update', 2, kind.patch);
  const name = `${kind.name.charAt(0).toUpperCase()}${kind.name.slice(1)}Controller`;
  Object.defineProperty(DueItemsController, 'name', { value: name });
  return DueItemsController;
}

/** Sets the class of one parameter of a method, as `emitDecoratorMetadata` does. */
function acceptType(controller: Type<unknown>, method: string, place: number, type: Type<unknown>): void {
  const prototype = controller.prototype as object;
  const types = Reflect.getMetadata('design:paramtypes', prototype, method) as unknown[];
  Reflect.defineMetadata('design:paramtypes', types.with(place, type), prototype, method);
}
