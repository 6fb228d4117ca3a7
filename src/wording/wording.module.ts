import { Module } from '@nestjs/common';
import { NOTIFICATION_KINDS } from '../contracts/kind-lists.js';
import { CONFIG, type Config, itemUrlPattern } from '../platform/config/config.js';
import { HtmlPages } from './pages/html-pages.js';
import { LinkPages } from './pages/link-pages.js';
import { TemplateStore } from './template-store.js';
import { TenantTemplatesController } from './tenant-templates/tenant-templates.controller.js';
import { TenantTemplatesService } from './tenant-templates/tenant-templates.service.js';
import { MessageTemplates } from './tenant-templates/message-templates.js';
import { OwnWords } from './tenant-templates/own-words.js';
import { TEMPLATES } from './templates-directory.js';
import { Wording } from './wording.js';

/** Compiled once per process, because it takes half of a start: tests build many applications. */
let templates: Promise<TemplateStore> | undefined;
let pages: Promise<HtmlPages> | undefined;

/** The words of every kind and page in every locale; a missing or broken template fails the start. */
@Module({
  controllers: [TenantTemplatesController],
  providers: [
    MessageTemplates,
    OwnWords,
    TenantTemplatesService,
    {
      provide: TemplateStore,
      useFactory: () => (templates ??= TemplateStore.load(TEMPLATES, NOTIFICATION_KINDS)),
    },
    {
      provide: Wording,
      inject: [CONFIG, TemplateStore, OwnWords],
      useFactory: (config: Config, store: TemplateStore, own: OwnWords) =>
        new Wording(store, itemUrlPattern(config), own),
    },
    { provide: HtmlPages, useFactory: () => (pages ??= HtmlPages.load(TEMPLATES)) },
    LinkPages,
  ],
  exports: [HtmlPages, LinkPages, MessageTemplates, Wording],
})
export class WordingModule {}
