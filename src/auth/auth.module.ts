import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TenantsModule } from '../tenants/tenants.module.js';
import { UsersModule } from '../users/users.module.js';
import { WordingModule } from '../wording/wording.module.js';
import { BodyGuard } from '../platform/http/body-guard.js';
import { AccessGuard } from './access.guard.js';
import { AccessTokens } from './sessions/access-tokens.js';
import { AlertLinks } from './alert-links.js';
import { ApiKey } from './keys/api-key.entity.js';
import { ApiKeysController } from './keys/api-keys.controller.js';
import { ApiKeysService } from './keys/api-keys.service.js';
import { TenantApiKeysController } from './keys/tenant-api-keys.controller.js';
import { AuthController } from './auth.controller.js';
import { Authenticator } from './authenticator.js';
import { CredentialChanges } from './password/credential-changes.js';
import { FirstAdmins } from './first-admins.js';
import { FirstRunController } from './first-run.controller.js';
import { FirstRun } from './first-run.js';
import { KnownDevices } from './sessions/known-devices.js';
import { LoginService } from './sessions/login.service.js';
import { LoginThrottle } from './sessions/login-throttle.js';
import { ConsoleSessionController } from './sessions/console-session.controller.js';
import { ConsoleSessions } from './sessions/console-sessions.js';
import { Operators } from './operators.js';
import { PasswordChanges } from './password/password-changes.js';
import { PasswordLinkController } from './password/password-link.controller.js';
import { PasswordLinks } from './password/password-links.js';
import { PasswordPageController } from './password/password-page.controller.js';
import { Passwords } from './password/passwords.js';
import { Refusals } from './refusals.js';
import { OpenSessions } from './sessions/open-sessions.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { SessionCookies } from './sessions/session-cookies.js';
import { SessionUse } from './sessions/session-use.js';
import { Sessions } from './sessions/sessions.js';
import { SignIns } from './sessions/sign-ins.js';
import { Signing } from './sessions/signing.js';
import { UnsubscribeLinks } from './unsubscribe-links.js';

/** Authentication and authorisation. The guard applies to the whole application. */
@Module({
  imports: [TypeOrmModule.forFeature([ApiKey], 'app'), TenantsModule, UsersModule, WordingModule],
  controllers: [
    AuthController,
    ApiKeysController,
    TenantApiKeysController,
    ConsoleSessionController,
    FirstRunController,
    PasswordLinkController,
    PasswordPageController,
    SessionsController,
  ],
  providers: [
    AccessTokens,
    AlertLinks,
    ApiKeysService,
    Authenticator,
    ConsoleSessions,
    CredentialChanges,
    FirstAdmins,
    FirstRun,
    KnownDevices,
    LoginService,
    LoginThrottle,
    OpenSessions,
    Operators,
    PasswordLinks,
    Passwords,
    PasswordChanges,
    Refusals,
    SessionCookies,
    Sessions,
    SessionUse,
    SignIns,
    Signing,
    UnsubscribeLinks,
    { provide: APP_GUARD, useClass: AccessGuard },
    { provide: APP_GUARD, useClass: BodyGuard },
  ],
  exports: [
    AlertLinks,
    Authenticator,
    FirstAdmins,
    FirstRun,
    LoginService,
    LoginThrottle,
    Operators,
    ConsoleSessions,
    PasswordLinks,
    Sessions,
    UnsubscribeLinks,
  ],
})
export class AuthModule {}
