import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from './config.js';
import { SCHEMA } from './schema.js';
import { shownSettings } from './shown.js';

/** Like the output of `openssl rand -base64 32`. */
const SECRET = 'q3X0m8Wv1bZr7Kc5Yt2Ld9Hf4Nj6Gp0s';
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vigie-shown-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string, name = 'file'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('the settings shown to people', () => {
  const written = {
    DATABASE_URL: 'postgres://owner:canary@db/vigie?sslpassword=canary',
    DATABASE_APP_URL: 'postgres://app:can%40ary-canary@db/vigie',
    DATABASE_SYSTEM_URL: 'postgres://system:canary@db/vigie',
    REDIS_URL: 'redis://:canary@redis',
    JWT_SECRET: `canary-${SECRET}`,
    JWT_SECRET_PREVIOUS: `canary-1-${SECRET}, canary-2-${SECRET}`,
    VIGIE_OPERATOR_EMAIL: 'ops@example.fr',
    VIGIE_OPERATOR_PASSWORD: 'http://canary/canary',
    EMAIL_HOST: 'mail',
    SMTP_USER: 'vigie@example.fr',
    VIGIE_PUBLIC_URL: 'https://vigie.example.fr',
  };
  const shown = (environment: Record<string, string>, yaml = '') =>
    Object.fromEntries(
      shownSettings(readConfig({ VIGIE_CONFIG: file(yaml, 'vigie.yml'), ...environment })).map((each) => [
        each.variable,
        each,
      ]),
    );

  it('include every setting and no secret', () => {
    const settings = shown({ ...written, SMTP_PASSWORD_FILE: file('canary') });
    expect(Object.keys(settings)).toEqual(Object.values(SCHEMA).map(({ env }) => env));
    expect(JSON.stringify(settings)).not.toContain('canary');
    expect(settings).toMatchObject({
      SMTP_PASSWORD: { value: '***', source: 'environment', written_as: 'SMTP_PASSWORD_FILE' },
      JWT_SECRET: { value: '***' },
      JWT_SECRET_PREVIOUS: { value: '***' },
      DATABASE_URL: { value: 'postgres://owner:***@db/vigie?***' },
      DATABASE_APP_URL: { value: 'postgres://app:***@db/vigie' },
      REDIS_URL: { value: 'redis://:***@redis' },
    });
  });

  it('include where each value came from', () => {
    const settings = shown(written, 'email: { smtp: { port: 2525, password: canary } }');
    expect(settings.SMTP_HOST).toEqual({
      variable: 'SMTP_HOST',
      setting: 'email.smtp.host',
      value: 'mail',
      source: 'environment',
      written_as: 'EMAIL_HOST',
      default: null,
    });
    expect(settings.SMTP_PORT).toMatchObject({ value: 2525, source: 'file', written_as: 'email.smtp.port' });
    expect(settings.PORT).toMatchObject({ value: 3000, source: 'default', written_as: null });
  });

  it('distinguish a secret that is set from one that is unset', () => {
    expect(shown({}).SMTP_PASSWORD).toMatchObject({ value: null, source: 'default' });
  });
});
