/** The permissions of an API key. Literal strings, because they are stored with the key. */
export const SCOPES = [
  'watched:read',
  'watched:write',
  'users:read',
  'users:write',
  'events:write',
  'reports:write',
  'notifications:read',
  'notifications:write',
  'admin',
] as const;
export type Scope = (typeof SCOPES)[number];
