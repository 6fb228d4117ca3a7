import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TenantDirectory } from './tenant-directory.js';
import { TenantErasure } from './tenant-erasure.js';
import { TenantEvents } from './tenant-events.js';
import { TenantSettingsController } from './tenant-settings.controller.js';
import { TenantSettingsService } from './tenant-settings.service.js';
import { Tenant } from './tenant.entity.js';
import { TenantsController } from './tenants.controller.js';
import { TenantsService } from './tenants.service.js';
import { TimeZones } from './time-zones.js';

/** Firms and companies, and their settings. */
@Module({
  imports: [TypeOrmModule.forFeature([Tenant], 'app'), TypeOrmModule.forFeature([Tenant], 'system')],
  controllers: [TenantsController, TenantSettingsController],
  providers: [TenantDirectory, TenantErasure, TenantEvents, TenantSettingsService, TenantsService, TimeZones],
  exports: [TenantDirectory, TenantErasure, TenantEvents, TenantsService, TimeZones],
})
export class TenantsModule {}
