import { Global, Module } from '@nestjs/common';
import { Idempotency } from './idempotency.js';
import { RequestLimits } from './request-limits.js';

/** What every room's controllers share. */
@Global()
@Module({ providers: [Idempotency, RequestLimits], exports: [Idempotency, RequestLimits] })
export class HttpModule {}
