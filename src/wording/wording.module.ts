import { Module } from '@nestjs/common';
import { fileURLToPath } from 'node:url';
import { NOTIFICATION_KINDS } from '../contracts/kind-lists.js';
import { TemplateStore } from './template-store.js';
import { Wording } from './wording.js';

const TEMPLATES = fileURLToPath(new URL('../../templates', import.meta.url));

/** The words of every kind in every locale; a template that is missing or broken stops the start. */
@Module({
  providers: [
    {
      provide: Wording,
      useFactory: async () => new Wording(await TemplateStore.load(TEMPLATES, NOTIFICATION_KINDS)),
    },
  ],
  exports: [Wording],
})
export class WordingModule {}
