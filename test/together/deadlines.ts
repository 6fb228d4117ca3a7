import { runTogether } from '../support/together.js';

runTogether('src/deadlines', 'src/digest', 'src/documents', 'src/due-items', 'src/tasks');
