/** Something took longer than it may. The code is what sockets say in that case. */
export class DeadlineError extends Error {
  readonly code = 'ETIMEDOUT';
}

/**
 * What `work` resolves to. It goes on when its time is over, and nobody hears how it ends.
 * @throws DeadlineError with this message after `ms`; before, what `work` throws.
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
