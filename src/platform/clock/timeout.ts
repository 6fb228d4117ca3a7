/** Something took longer than allowed. The code is the one sockets use in that case. */
export class DeadlineError extends Error {
  readonly code = 'ETIMEDOUT';
}

/**
 * What `work` resolves to. After a timeout `work` continues, and its outcome is ignored.
 * @throws DeadlineError with this message after `ms`; before that, whatever `work` throws.
 */
export async function withTimeout<Result>(
  work: Promise<Result>,
  ms: number,
  message: string,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(message)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
