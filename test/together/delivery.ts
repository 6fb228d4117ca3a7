import { runTogether } from '../support/together.js';

runTogether('src/delivery/channel-health', 'src/delivery/dispatch', 'src/delivery/sending');
