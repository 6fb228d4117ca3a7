import { runTogether } from '../support/together.js';

runTogether('src/notifications', 'src/tenants', 'src/users', 'src/realtime');
