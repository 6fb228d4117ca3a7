import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface TestDns {
  /** `127.0.0.1:port`, for `--dns`. */
  address: string;
  close(): Promise<unknown>;
}

const TXT = 16;
const NXDOMAIN = 3;
const SERVFAIL = 2;

/**
 * A DNS server on loopback (RFC 1035 §4.1) with these TXT records. A name without a list, and without names below it,
 * does not exist; `null`: the server fails; `silent`: it does not answer.
 */
export async function startDns(
  records: Readonly<Record<string, readonly string[] | null | 'silent'>>,
): Promise<TestDns> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const answer = answerTo(query, records);
    if (answer !== null) socket.send(answer, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    close: () => new Promise<void>((closed) => socket.close(() => closed())),
  };
}

function answerTo(
  query: Buffer,
  records: Readonly<Record<string, readonly string[] | null | 'silent'>>,
): Buffer | null {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('ascii', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const question = query.subarray(12, at + 5);
  const name = labels.join('.').toLowerCase();
  const found = records[name];
  if (found === 'silent') return null;
  const exists = found !== undefined || Object.keys(records).some((other) => other.endsWith(`.${name}`));
  const code = found === null ? SERVFAIL : exists ? 0 : NXDOMAIN;
  const answers = (found ?? []).map((text) => {
    const data = Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
    const head = Buffer.from([0xc0, 12, 0, TXT, 0, 1, 0, 0, 0, 60, 0, data.length]);
    return Buffer.concat([head, data]);
  });
  const header = Buffer.from([
    query[0] ?? 0,
    query[1] ?? 0,
    0x81,
    0x80 | code,
    0,
    1,
    0,
    answers.length,
    0,
    0,
    0,
    0,
  ]);
  return Buffer.concat([header, question, ...answers]);
}
