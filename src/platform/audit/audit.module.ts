import { Global, Module } from '@nestjs/common';
import { AuditLog } from './audit-log.js';

/** The log of what admins and operators do. The guard writes it; app.ts adds the outcomes. */
@Global()
@Module({ providers: [AuditLog], exports: [AuditLog] })
export class AuditModule {}
