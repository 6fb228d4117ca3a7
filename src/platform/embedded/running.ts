import { resolve } from 'node:path';
import { type EmbeddedUrls, urlsOf } from './logins.js';
import { recallPorts } from './ports.js';
import { embeddedSecrets } from './secrets.js';

/**
 * The addresses of services that another process has started on a data directory. They may have stopped since: connect
 * to find out.
 * @throws Error when none ever ran there.
 */
export async function runningServices(
  directory: string,
): Promise<{ database: EmbeddedUrls; redis_url: string; jwt_secret: string }> {
  const data_dir = resolve(directory);
  const { postgres, redis } = await recallPorts(data_dir);
  if (postgres === undefined || redis === undefined) {
    throw new Error(`no Vigie with embedded services runs on ${data_dir}: start one, or set DATABASE_URL`);
  }
  const secrets = await embeddedSecrets(data_dir, [
    'postgres_password',
    'vigie_app_password',
    'vigie_system_password',
    'redis_password',
    'jwt_secret',
  ]);
  return {
    database: urlsOf(postgres, {
      owner: secrets.postgres_password,
      app: secrets.vigie_app_password,
      system: secrets.vigie_system_password,
    }),
    redis_url: `redis://:${secrets.redis_password}@127.0.0.1:${redis}`,
    jwt_secret: secrets.jwt_secret,
  };
}
