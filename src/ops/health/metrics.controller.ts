import { createHash, timingSafeEqual } from 'node:crypto';
import { Controller, Get, Header, Headers, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { Problem } from '../../platform/errors/problem.js';
import { Access } from '../../platform/http/caller.js';
import { Metrics } from '../../platform/metrics/metrics.js';
import { Gauges } from './gauges.js';

/** For Prometheus. docs/metrics.md lists the metrics. */
@Controller()
export class MetricsController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly gauges: Gauges,
    private readonly metrics: Metrics,
  ) {}

  /** @throws Problem unauthenticated if METRICS_TOKEN is set and the request lacks it. */
  @Get('metrics')
  @Access('public')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Metrics of this process, in the text format of Prometheus',
    description: 'With METRICS_TOKEN set, requires it as a bearer token.',
  })
  @ApiOkResponse({ content: { 'text/plain': { schema: { type: 'string' } } } })
  async read(@Headers('authorization') authorization?: string): Promise<string> {
    const { metricsToken } = this.config;
    if (metricsToken !== null && !isSame(authorization ?? '', `Bearer ${metricsToken}`)) {
      throw new Problem('unauthenticated');
    }
    await this.gauges.refresh();
    return this.metrics.text();
  }
}

/** Compares in constant time. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
