import { Global, Module } from '@nestjs/common';
import { HttpConnections } from './http-connections.js';
import { Idempotency } from './idempotency.js';
import { RequestLimits } from './request-limits.js';

/** Shared by the controllers of every room. */
@Global()
@Module({ providers: [HttpConnections, Idempotency, RequestLimits], exports: [Idempotency, RequestLimits] })
export class HttpModule {}
