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
import { AuthController } from './auth.controller.js';
import { Authenticator } from './authenticator.js';
import { CredentialChanges } from './password/credential-changes.js';
import { FirstAdmins } from './first-admins.js';
import { KnownDevices } from './sessions/known-devices.js';
import { LoginService } from './sessions/login.service.js';
import { LoginThrottle } from './sessions/login-throttle.js';
import { OperatorCookies } from './sessions/operator-cookies.js';
import { Operators } from './operators.js';
import { PasswordChanges } from './password/password-changes.js';
import { PasswordLinkController } from './password/password-link.controller.js';
import { PasswordLinks } from './password/password-links.js';
import { PasswordPageController } from './password/password-page.controller.js';
import { Passwords } from './password/passwords.js';
import { Refusals } from './refusals.js';
import { OpenSessions } from './sessions/open-sessions.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { Sessions } from './sessions/sessions.js';
import { SignIns } from './sessions/sign-ins.js';
import { Signing } from './sessions/signing.js';

/** Authentication and authorisation. The guard applies to the whole application. */
@Module({
  imports: [TypeOrmModule.forFeature([ApiKey], 'app'), TenantsModule, UsersModule, WordingModule],
  controllers: [
    AuthController,
    ApiKeysController,
    PasswordLinkController,
    PasswordPageController,
    SessionsController,
  ],
  providers: [
    AccessTokens,
    AlertLinks,
    ApiKeysService,
    Authenticator,
    CredentialChanges,
    FirstAdmins,
    KnownDevices,
    LoginService,
    LoginThrottle,
    OpenSessions,
    OperatorCookies,
    Operators,
    PasswordLinks,
    Passwords,
    PasswordChanges,
    Refusals,
    Sessions,
    SignIns,
    Signing,
    { provide: APP_GUARD, useClass: AccessGuard },
    { provide: APP_GUARD, useClass: BodyGuard },
  ],
  exports: [
    AlertLinks,
    Authenticator,
    FirstAdmins,
    LoginService,
    LoginThrottle,
    Operators,
    OperatorCookies,
    PasswordLinks,
    Sessions,
  ],
})
export class AuthModule {}
