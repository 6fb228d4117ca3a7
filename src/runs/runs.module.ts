import { Global, Module } from '@nestjs/common';
import { MetricsModule } from '../platform/metrics/metrics.module.js';
import { RunHandlers } from './run-handlers.js';

/** Lets rooms do scheduled jobs without knowing when. */
@Global()
@Module({ imports: [MetricsModule], providers: [RunHandlers], exports: [RunHandlers] })
export class RunsModule {}
