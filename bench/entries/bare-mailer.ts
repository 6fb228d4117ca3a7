import { fileURLToPath } from 'node:url';
import { createTransport } from 'nodemailer';
import { TemplateStore } from '#vigie/wording/template-store.js';
import type { Reader } from '#vigie/wording/worded.js';
import { serve } from '../support/entry.js';

/** Renders and sends the requested number of mails, and does nothing else. */
export interface BareMailing {
  count: number;
  port: number;
  /** Connections of the pool; without a pool, concurrent mails. */
  connections: number;
  /** False: one connection per mail, as in the old systems. */
  pooled: boolean;
}

const templates = await TemplateStore.load(fileURLToPath(new URL('../../templates', import.meta.url)));

const READER: Reader = {
  locale: 'fr',
  today: '2026-11-24',
  tenant: { name: 'Tenant 1', time_zone: 'Europe/Paris' },
  recipient: { name: 'User 1' },
  own: null,
};

async function send({ count, port, connections, pooled }: BareMailing): Promise<object> {
  const address = { host: '127.0.0.1', port, ignoreTLS: true };
  const transport = pooled
    ? createTransport({ ...address, pool: true, maxConnections: connections, maxMessages: 500 })
    : createTransport(address);
  let next = 0;
  const loop = async () => {
    while (next < count) {
      const number = next++;
      const item = {
        id: null,
        kind: 'deadline_near',
        severity: 'info' as const,
        data: {
          deadline_id: '01890000-0000-7000-8000-000000000000',
          title: `Deadline ${number}`,
          category: 'TVA',
          client_name: 'Client 7',
          due_on: '2026-12-01',
        },
        created_at: new Date(),
        audience: 'responsible',
        author_name: null,
      };
      const mail = templates.itemMail(item, READER, { unsubscribe_url: null });
      await transport.sendMail({
        from: 'Vigie <vigie@vigie.example>',
        to: `user${number % 10}@tenant-1.example`,
        ...mail,
      });
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: connections }, loop));
  const seconds = (performance.now() - began) / 1_000;
  transport.close();
  return { seconds };
}

serve('', (request: BareMailing) => send(request));
