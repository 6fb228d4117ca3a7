import { runTogether } from '../support/together.js';

runTogether('src/platform/http', 'test/http');
