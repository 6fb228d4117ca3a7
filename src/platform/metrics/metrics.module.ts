import { Global, Module } from '@nestjs/common';
import { Tracing } from '../tracing/tracing.js';
import { Metrics } from './metrics.js';

/** The metrics and traces of this process, available in every room. */
@Global()
@Module({ providers: [Metrics, Tracing], exports: [Metrics, Tracing] })
export class MetricsModule {}
