import { fileURLToPath } from 'node:url';

/** The templates of this installation. */
export const TEMPLATES = fileURLToPath(new URL('../../templates', import.meta.url));
