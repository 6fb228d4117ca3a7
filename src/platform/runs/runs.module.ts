import { Global, Module } from '@nestjs/common';
import { RunHandlers } from './run-handlers.js';

/** Lets rooms do scheduled jobs without knowing when. */
@Global()
@Module({ providers: [RunHandlers], exports: [RunHandlers] })
export class RunsModule {}
