import { Global, Module } from '@nestjs/common';
import { Metrics } from './metrics.js';

/** One set of metrics for this process, for every room. */
@Global()
@Module({ providers: [Metrics], exports: [Metrics] })
export class MetricsModule {}
