import { Global, Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { AuditLog } from './audit-log.js';
import { AuditInterceptor } from './audit.interceptor.js';

/** The log of what admins and operators do. The interceptor is the whole application's. */
@Global()
@Module({
  providers: [AuditLog, { provide: APP_INTERCEPTOR, useClass: AuditInterceptor }],
  exports: [AuditLog],
})
export class AuditModule {}
