import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withLock } from './lock.js';
import { isRoot } from './processes.js';
import { writeFileAtomic } from './write-file-atomic.js';

type Secrets = Partial<Record<string, string>>;

/**
 * A secret stored in the data directory: 32 random bytes in base64url, created on first use in `secrets.json`, readable
 * only by its owner. Safe for concurrent processes.
 */
export async function embeddedSecret(data_dir: string, name: string): Promise<string> {
  const { [name]: secret } = await embeddedSecrets(data_dir, [name]);
  if (secret === undefined) throw new Error(`the secret ${name} was not made`);
  return secret;
}

/** Several secrets with one read and write of the file. */
export async function embeddedSecrets<Name extends string>(
  data_dir: string,
  names: readonly Name[],
): Promise<Record<Name, string>> {
  await ensureDataDir(data_dir);
  const path = join(data_dir, 'secrets.json');
  const pick = (secrets: Secrets): Record<Name, string> | undefined => {
    const entries = names.map((name) => [name, secrets[name]] as const);
    return entries.every(([, secret]) => secret !== undefined)
      ? (Object.fromEntries(entries) as Record<Name, string>)
      : undefined;
  };
  // The file is only ever replaced atomically, so reading needs no lock.
  const known = pick(await readSecrets(path));
  if (known !== undefined) return known;
  return withLock(`${path}.lock`, async () => {
    const secrets = await readSecrets(path);
    for (const name of names) secrets[name] ??= randomBytes(32).toString('base64url');
    await writeFileAtomic(path, `${JSON.stringify(secrets, null, 2)}\n`, 0o600);
    return pick(secrets) as Record<Name, string>;
  });
}

/** Creates the data directory; root's lets others pass through, for the system user that PostgreSQL runs as. */
export async function ensureDataDir(data_dir: string): Promise<void> {
  try {
    await mkdir(dirname(data_dir), { recursive: true });
    await mkdir(data_dir, { mode: isRoot() ? 0o711 : 0o700, recursive: true });
    await access(data_dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new Error(
      `the data directory ${data_dir} cannot be used: start as its owner, or choose another VIGIE_DATA_DIR`,
      { cause: error },
    );
  }
}

async function readSecrets(path: string): Promise<Secrets> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return {};
    if (code !== 'EACCES') throw error;
    throw new Error(`${path} belongs to another user: start as that user, or choose another VIGIE_DATA_DIR`, {
      cause: error,
    });
  }
  try {
    return JSON.parse(text) as Secrets;
  } catch (error) {
    // Never overwritten: it may hold the passwords of an existing database.
    throw new Error(`${path} is not valid JSON`, { cause: error });
  }
}
