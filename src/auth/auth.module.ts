import { Module } from '@nestjs/common';
import { Authenticator } from './authenticator.js';
import { PasswordLinks } from './password-links.js';

@Module({ providers: [PasswordLinks, Authenticator], exports: [PasswordLinks, Authenticator] })
export class AuthModule {}
