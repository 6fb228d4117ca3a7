import { Module } from '@nestjs/common';
import { NOTIFICATION_KINDS } from '../contracts/kind-lists.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { HtmlPages } from './pages/html-pages.js';
import { TemplateStore } from './template-store.js';
import { TEMPLATES } from './templates-directory.js';
import { Wording } from './wording.js';

/** Compiled once per process, because it takes half of a start: tests build many applications. */
let templates: Promise<TemplateStore> | undefined;
let pages: Promise<HtmlPages> | undefined;

/** The words of every kind and page in every locale; a missing or broken template fails the start. */
@Module({
  providers: [
    {
      provide: Wording,
      inject: [CONFIG],
      useFactory: async ({ itemUrl }: Config) =>
        new Wording(await (templates ??= TemplateStore.load(TEMPLATES, NOTIFICATION_KINDS)), itemUrl),
    },
    { provide: HtmlPages, useFactory: () => (pages ??= HtmlPages.load(TEMPLATES)) },
  ],
  exports: [HtmlPages, Wording],
})
export class WordingModule {}
