import { types } from 'node:util';
import { publicUrl } from '../../platform/config/config.js';
import { compareClocks } from './clock.js';
import { STEP_DEADLINE_MS } from './check.js';
import type { DoctorContext } from './context.js';
import { codeOf } from './error-text.js';
import { fault, type Finding, note, ok, warning } from './finding.js';

/** Asks the server at its public address whether it is ready, and compares the clocks (RFC 9110 §6.6.1, Date). */
export async function checkServer(context: DoctorContext): Promise<Finding[]> {
  const url = `${publicUrl(context.config)}/readyz`;
  let answer: Response;
  const began = context.now();
  try {
    answer = await fetch(url, { signal: AbortSignal.timeout(STEP_DEADLINE_MS), redirect: 'manual' });
  } catch (error) {
    return [unanswered(error, url)];
  }
  const text = await answer.text().catch(() => '');
  const clock = dateFinding(answer, began, context.now());
  if (answer.status === 503)
    return [fault(`${url} answers that it is not ready: ${detailOf(text)}`, NOT_READY), ...clock];
  if (answer.status !== 200 || !/"status":"ok"/.test(text))
    return [
      fault(
        `${url} answers ${answer.status}, and not as Vigie does`,
        'Lead this address to Vigie (reverse proxy), or correct VIGIE_PUBLIC_URL',
      ),
    ];
  return [ok(`${url} is ready`), ...clock];
}

const NOT_READY = 'See the findings about PostgreSQL and Redis, run on the machine of that server';

function unanswered(error: unknown, url: string): Finding {
  const code = types.isNativeError(error) ? codeOf(error.cause) : null;
  if (code !== null && /CERT|SIGNATURE|ERR_TLS/.test(code))
    return warning(
      `${url}: its certificate is not valid here (${code})`,
      'Renew it, or have browsers and this machine trust its authority',
    );
  return note(
    `${url} does not answer${code === null ? '' : ` (${code})`}: the server does not run, or is not reachable from here`,
  );
}

/** Its precision is a second. */
function dateFinding(answer: Response, began: number, ended: number): Finding[] {
  const date = Date.parse(answer.headers.get('date') ?? '');
  if (Number.isNaN(date)) return [];
  const finding = compareClocks('the server', date, began - 1_000, ended + 1_000);
  return finding.state === 'ok' ? [] : [finding];
}

function detailOf(text: string): string {
  try {
    const { detail } = JSON.parse(text) as { detail?: unknown };
    return typeof detail === 'string' ? detail : 'no reason given';
  } catch {
    return 'no reason given';
  }
}
