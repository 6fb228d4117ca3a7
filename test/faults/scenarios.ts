import { f10 } from './f10-mail-server-fails.js';
import { f11 } from './f11-webhook-endpoints.js';
import { f13 } from './f13-terminated.js';
import { f16 } from './f16-scanner.js';
import { f15 } from './f15-clocks.js';
import { f18 } from './f18-sentinel-failover.js';
import { f19 } from './f19-standby-promoted.js';
import { f20 } from './f20-two-of-each.js';
import { f1 } from './f1-worker-killed.js';
import { f3 } from './f3-killed-before-enqueue.js';
import { f4 } from './f4-redis-killed.js';
import { f5 } from './f5-redis-flushed.js';
import { f8 } from './f8-postgres-restarted.js';
import type { Scenario } from './scenario.js';

/** Every scenario, in order of its id. */
export const SCENARIOS: readonly Scenario[] = [f1, f3, f4, f5, f8, f10, f11, f13, f15, f16, f18, f19, f20];

/** How many run in parallel. */
export const LANES = 2;
