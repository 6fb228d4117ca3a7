import { Global, Module } from '@nestjs/common';
import { Connections } from './connections.js';
import { Idempotency } from './idempotency.js';

/** What every room's controllers share. */
@Global()
@Module({ providers: [Connections, Idempotency], exports: [Idempotency] })
export class HttpModule {}
