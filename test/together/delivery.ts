import { runTogether } from '../support/together.js';

runTogether('src/delivery');
