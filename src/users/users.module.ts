import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TenantsModule } from '../tenants/tenants.module.js';
import { Credentials } from './credentials.js';
import { MeController } from './me.controller.js';
import { PreferencesController, UserPreferencesController } from './preferences/preferences.controller.js';
import { PreferencesService } from './preferences/preferences.service.js';
import { TenantPreferencesController } from './preferences/tenant-preferences.controller.js';
import { TenantPreferences } from './preferences/tenant-preferences.service.js';
import { UserEvents } from './user-events.js';
import { User } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

/** The people of a tenant, and their notification preferences. */
@Module({
  imports: [TenantsModule, TypeOrmModule.forFeature([User], 'app')],
  controllers: [
    UsersController,
    MeController,
    PreferencesController,
    TenantPreferencesController,
    UserPreferencesController,
  ],
  providers: [Credentials, PreferencesService, TenantPreferences, UserEvents, UsersService],
  exports: [Credentials, PreferencesService, UserEvents, UsersService],
})
export class UsersModule {}
