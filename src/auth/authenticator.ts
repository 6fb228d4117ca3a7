import { Injectable } from '@nestjs/common';
import { Problem } from '../platform/errors/problem.js';
import type { AnyCaller } from './caller.js';

@Injectable()
export class Authenticator {
  async byToken(_token: string): Promise<{ caller: AnyCaller; expires_at: Date }> {
    throw new Problem('unauthenticated');
  }
}
