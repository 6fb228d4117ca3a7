import { runTogether } from '../support/together.js';

runTogether('test/rules', 'src/wording');
