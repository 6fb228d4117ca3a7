import { runTogether } from '../support/together.js';

runTogether('src/scheduler', 'src/runs');
