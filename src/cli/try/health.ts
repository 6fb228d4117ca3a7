import { Failure } from './step.js';

const DEADLINE_MS = 5_000;

/**
 * Checks that the server is alive and ready, before the login.
 * @returns the response time, in ms.
 * @throws Failure if it does not answer, or says what it lacks.
 */
export async function askHealth(url: string): Promise<number> {
  const began = performance.now();
  const live = await ask(`${url}/livez`);
  if (live.status !== 200 || !live.text.includes('"ok"')) {
    throw new Failure(
      `${url}/livez answered ${live.status}, and not as Vigie does`,
      'Something else listens there, or a proxy stands before it: give the address of Vigie with --url.',
    );
  }
  const ready = await ask(`${url}/readyz`);
  if (ready.status !== 200) {
    throw new Failure(
      `the server lives and is not ready: ${detail(ready.text)}`,
      'Start what does not answer, or correct DATABASE_URL and REDIS_URL; then try again.',
    );
  }
  return Math.round(performance.now() - began);
}

async function ask(url: string): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(DEADLINE_MS) });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    throw new Failure(
      `no answer from ${url}: ${reasonOf(error)}`,
      'Start the server ("npm start"), or give its address with --url, VIGIE_PUBLIC_URL or PORT.',
    );
  }
}

/** The cause of an error: `fetch failed` has no details. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  // Both addresses of localhost were tried: the first one's error is enough.
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  return first instanceof Error && first.message !== '' ? first.message : error.message;
}

function detail(text: string): string {
  try {
    const { detail: said } = JSON.parse(text) as { detail?: string };
    return said ?? text;
  } catch {
    return text.slice(0, 200);
  }
}
