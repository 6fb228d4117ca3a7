import { Injectable } from '@nestjs/common';
import { Encryption } from '../../../../platform/encryption/encryption.js';

type Column = 'url' | 'secret' | 'previous_secret';

/** Encrypts an endpoint's secrets, and its URL, which may hold a token. A stored text is valid only in its own row. */
@Injectable()
export class EndpointSecrets {
  constructor(private readonly encryption: Encryption) {}

  /** The prefix of texts that the current key encrypted. */
  get currentPrefix(): string {
    return this.encryption.currentPrefix;
  }

  encrypt(column: Column, tenantId: string, id: string, text: string): string {
    return this.encryption.encrypt('webhook_endpoint', placeOf(column, tenantId, id), text);
  }

  /** @throws UndecryptableError */
  decrypt(column: Column, tenantId: string, id: string, stored: string): string {
    return this.encryption.decrypt('webhook_endpoint', placeOf(column, tenantId, id), stored);
  }
}

/** Both secrets share one place: a rotation moves the text from one column to the other. */
function placeOf(column: Column, tenantId: string, id: string): string {
  return `webhook_endpoints.${column === 'url' ? 'url' : 'secret'} ${tenantId} ${id}`;
}
