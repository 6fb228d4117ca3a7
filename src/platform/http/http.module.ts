import { Global, Module } from '@nestjs/common';
import { Idempotency } from './idempotency.js';

/** What every room's controllers share. */
@Global()
@Module({ providers: [Idempotency], exports: [Idempotency] })
export class HttpModule {}
