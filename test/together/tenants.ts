import { runTogether } from '../support/together.js';

runTogether('src/tenants', 'src/users');
