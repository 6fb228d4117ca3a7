import { runTogether } from '../support/together.js';

runTogether('src/auth/access.spec.ts', 'src/auth/keys', 'src/auth/sessions');
