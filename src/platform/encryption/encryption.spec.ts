import type { Config } from '../config/config.js';
import { Encryption, UndecryptableError } from './encryption.js';

const withSecrets = (jwtSecret: string, ...jwtSecretPrevious: string[]) =>
  new Encryption({ jwtSecret, jwtSecretPrevious } as unknown as Config);

const FIRST = 'first secret of this installation, 32 bytes';
const SECOND = 'second secret of this installation, 32 bytes';
const PLACE = 'webhook_endpoints.secret:1';

describe('encryption of stored texts', () => {
  it('returns the text, and hides it', () => {
    const encryption = withSecrets(FIRST);
    const stored = encryption.encrypt('webhook_endpoint', PLACE, 'whsec_été');
    expect(stored).toMatch(/^v1\.[\w-]{8}\.[\w-]+$/);
    expect(stored).not.toContain('whsec');
    expect(encryption.encrypt('webhook_endpoint', PLACE, 'whsec_été')).not.toBe(stored);
    expect(encryption.decrypt('webhook_endpoint', PLACE, stored)).toBe('whsec_été');
  });

  it('decrypts what JWT_SECRET_PREVIOUS has encrypted, and shows that it is old', () => {
    const stored = withSecrets(FIRST).encrypt('webhook_endpoint', PLACE, 'text');
    const rotated = withSecrets(SECOND, FIRST);
    expect(rotated.decrypt('webhook_endpoint', PLACE, stored)).toBe('text');
    expect(stored.startsWith(rotated.currentPrefix)).toBe(false);
    expect(() => withSecrets(SECOND).decrypt('webhook_endpoint', PLACE, stored)).toThrow(UndecryptableError);
  });

  it('refuses a text that was changed, or copied from another row', () => {
    const encryption = withSecrets(FIRST);
    const stored = encryption.encrypt('webhook_endpoint', PLACE, 'text');
    // Not the last character: some of its bits carry nothing.
    const changed = stored.slice(0, -5) + (stored.at(-5) === 'A' ? 'B' : 'A') + stored.slice(-4);
    expect(() => encryption.decrypt('webhook_endpoint', PLACE, changed)).toThrow(UndecryptableError);
    expect(() => encryption.decrypt('webhook_endpoint', `${PLACE}2`, stored)).toThrow(UndecryptableError);
    expect(() => encryption.decrypt('webhook_endpoint', PLACE, stored.slice(0, 20))).toThrow(
      UndecryptableError,
    );
    expect(() => encryption.decrypt('webhook_endpoint', PLACE, '')).toThrow(UndecryptableError);
  });
});
