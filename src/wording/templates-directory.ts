import { fileURLToPath } from 'node:url';

/** The words of this installation. */
export const TEMPLATES = fileURLToPath(new URL('../../templates', import.meta.url));
