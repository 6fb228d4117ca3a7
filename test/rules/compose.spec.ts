import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readConfig, type Config } from '../../src/platform/config/config.js';
import { ROLES, SCHEMA } from '../../src/platform/config/schema.js';
import { ROOT } from './sources.js';

interface Service {
  image?: string;
  build?: string;
  command?: string[];
  environment?: Record<string, string | number | boolean>;
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

/** What a container would get: each variable as the person set it, or its default. */
function substituted(service: Service, set: Record<string, string>): Record<string, string> {
  const entries = Object.entries(service.environment ?? {}).map(([name, value]) => [
    name,
    String(value).replace(
      /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
      (_whole, variable: string, kind: string, rest: string) => {
        const text = set[variable] ?? (kind === '-' ? rest : undefined);
        if (text === undefined) throw new Error(`${variable} is not set: ${rest}`);
        return text;
      },
    ),
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

const SET = {
  POSTGRES_PASSWORD: 'a'.repeat(32),
  VIGIE_OWNER_PASSWORD: 'b'.repeat(32),
  VIGIE_APP_PASSWORD: 'c'.repeat(32),
  VIGIE_SYSTEM_PASSWORD: 'd'.repeat(32),
  JWT_SECRET: 'mZ4x8QpL2vN7tR9wK1sYb6cH3dF5gJ0a',
  VIGIE_OPERATOR_EMAIL: 'operator@example.com',
  VIGIE_OPERATOR_PASSWORD: 'f'.repeat(32),
};

const configOf = (service: Service): Config => readConfig(substituted(service, SET));

describe('docker-compose.yml', () => {
  it('has what there is', () => {
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

  it('gives every role to a container', () => {
    const roles = ours.flatMap(([name, service]) => (name === 'migrate' ? [] : configOf(service).roles));
    expect([...roles].sort()).toEqual([...ROLES].sort());
  });

  it.each(ours)('%s has a configuration that the server accepts', (_name, service) => {
    const config = configOf(service);
    expect(config.databaseUrl).toBe(`postgres://vigie_owner:${SET.VIGIE_OWNER_PASSWORD}@postgres:5432/vigie`);
    expect([config.smtpHost, config.smtpPort]).toEqual(['mailpit', 1025]);
    const known = Object.values(SCHEMA).flatMap(({ env, aliases }) => [env, ...aliases]);
    expect(Object.keys(service.environment ?? {}).filter((name) => !known.includes(name))).toEqual([]);
  });

  it('starts with no secret that everybody knows', () => {
    for (const name of Object.keys(SET)) {
      const rest = Object.fromEntries(Object.entries(SET).filter(([each]) => each !== name));
      const started = services.map(
        ([, service]) =>
          () =>
            substituted(service, rest),
      );
      expect(started.some((start) => fails(start))).toBe(true);
    }
    expect(TEXT).not.toMatch(/(PASSWORD|SECRET): (?!\$\{)\S/);
    expect(TEXT).not.toMatch(/:\/\/\w+:(?!\$\{)[^@\s]+@/);
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

  it('waits for what each needs, and knows how all are', () => {
    for (const [name, { depends_on = {}, healthcheck }] of services) {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        expect([name, compose.services]).toEqual([
          name,
          expect.objectContaining({ [other]: expect.anything() }),
        ]);
        expect(condition).toBe(other === 'migrate' ? 'service_completed_successfully' : 'service_healthy');
      }
      // Ours have the image's.
      const image = ours.some(([each]) => each === name);
      expect([name, image || healthcheck?.test !== undefined]).toEqual([name, true]);
    }
    expect(compose.services.web?.depends_on).toHaveProperty('migrate');
    expect(compose.services.migrate?.depends_on).toHaveProperty('postgres');
  });

  it('keeps PostgreSQL and Redis from the network outside', () => {
    for (const name of ['postgres', 'redis']) {
      expect(compose.services[name]).toMatchObject({ networks: ['inside'] });
      expect(compose.services[name]).not.toHaveProperty('ports');
    }
    expect(compose.networks.inside).toEqual({ internal: true });
    expect(compose.services.redis?.command?.join(' ')).toContain('--maxmemory-policy noeviction');
  });

  it('runs ours without privileges, on a file system they can not write', () => {
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

  it('gives the worker, and nobody else, the folders of backups at its configured paths', () => {
    for (const [name, service] of ours) {
      const { backupInboxDir, backupStoreDir } = configOf(service);
      const mounted = (service.volumes ?? []).map((volume) => volume.slice(volume.lastIndexOf(':') + 1));
      expect([name, mounted]).toEqual([name, name === 'worker' ? [backupInboxDir, backupStoreDir] : []]);
      // Where none is named, the compose file's own.
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

  it('copies what exists', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files]) =>
      files!.split(' '),
    );
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(copied).toEqual(expect.arrayContaining(['src', 'templates', 'package-lock.json']));
  });

  it('ends in an image without the build, that is not root and says how it is', () => {
    expect(last).toMatch(/^\nFROM node:20-slim\n/);
    expect(last).toMatch(/npm ci --omit=dev/);
    expect(last).not.toMatch(/--omit=optional/);
    expect(last).toMatch(/\nUSER node\n/);
    for (const folder of ['BACKUP_INBOX_DIR', 'BACKUP_STORE_DIR']) {
      expect(last).toMatch(
        new RegExp(`install -d -o node -g node .*${substituted(compose.services.worker!, SET)[folder]}`),
      );
    }
    expect(last).toMatch(/\nHEALTHCHECK [\s\S]*\/livez/);
  });

  it('leaves secrets and what is built here out', () => {
    const ignored = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
    expect(ignored).toEqual(expect.arrayContaining(['.env', '.git', 'data', 'dist', 'node_modules']));
  });
});
