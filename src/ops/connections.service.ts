import { Inject, Injectable } from '@nestjs/common';
import { EmailSender } from '../delivery/channels/email/email.sender.js';
import { Database, SystemDatabase } from '../platform/database/database.js';
import { Queues } from '../platform/queues/queues.js';

export const SERVICES = ['postgresql_app', 'postgresql_system', 'redis', 'smtp'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** How one service answered. */
export interface ConnectionTest {
  service: ServiceName;
  /** False: the configuration names none, so nothing was tried. */
  configured: boolean;
  /** null where nothing was tried. */
  ok: boolean | null;
  latency_ms: number | null;
  error: string | null;
}

/** What does not answer within this long, in ms, counts as away. */
const DEADLINE_MS = 5_000;
const LONGEST_ERROR = 300;

/** Tries the services that Vigie needs, as it would use them. Sends no mail. */
@Injectable()
export class Connections {
  private readonly probes: Record<ServiceName, (() => Promise<unknown>) | null>;

  constructor(
    database: Database,
    system: SystemDatabase,
    queues: Queues,
    @Inject(EmailSender) sender: EmailSender | null,
  ) {
    this.probes = {
      postgresql_app: () => database.ping(),
      postgresql_system: () => system.query('SELECT 1'),
      redis: () => queues.ping(),
      smtp: sender === null ? null : () => sender.verify(),
    };
  }

  /** All at the same time; takes 5 s at most. */
  async test(): Promise<ConnectionTest[]> {
    return Promise.all(SERVICES.map((service) => testOne(service, this.probes[service])));
  }
}

async function testOne(
  service: ServiceName,
  probe: (() => Promise<unknown>) | null,
): Promise<ConnectionTest> {
  if (probe === null) return { service, configured: false, ok: null, latency_ms: null, error: null };
  const began = performance.now();
  const error = await failureOf(probe);
  const latency_ms = Math.round((performance.now() - began) * 10) / 10;
  return { service, configured: true, ok: error === null, latency_ms, error };
}

/** What went wrong, in the words of the client library, which name no password; null when nothing did. */
async function failureOf(probe: () => Promise<unknown>): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, DEADLINE_MS, `no answer within ${DEADLINE_MS / 1_000} s`);
  });
  try {
    return await Promise.race([probe().then(() => null, wordsOf), late]);
  } finally {
    clearTimeout(timer);
  }
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, LONGEST_ERROR);
  // A name with several addresses fails as several errors in one, without words of its own.
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return (error.message || code).slice(0, LONGEST_ERROR);
}
