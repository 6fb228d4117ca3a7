import { readFileSync } from 'node:fs';

/** A key of a Google service account, as its console exports it. */
export interface ServiceAccount {
  project_id: string;
  client_email: string;
  /** PEM, PKCS #8. */
  private_key: string;
  private_key_id: string;
  token_uri: string;
}

const FIELDS = ['project_id', 'client_email', 'private_key', 'private_key_id', 'token_uri'] as const;

/** @throws Error that says what is wrong with the file, without its content. */
export function readServiceAccount(path: string): ServiceAccount {
  const fields = fieldsOf(path);
  const found = FIELDS.map((name) => {
    const value = fields[name];
    if (typeof value !== 'string' || value === '') throw new Error(`the service account has no ${name}`);
    return [name, value] as const;
  });
  return Object.fromEntries(found) as Record<(typeof FIELDS)[number], string>;
}

function fieldsOf(path: string): Record<string, unknown> {
  const text = readFileSync(path, 'utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // The message of JSON.parse quotes the text, which has a private key.
  }
  throw new Error('the service account is not a JSON object');
}
