import { expectedCause } from './causes.js';
import { StartError, type StartStep } from './start-error.js';

/**
 * Runs one step of the start.
 * @param deadlineMs after which the step has failed, whether or not its promise ever settles.
 * @throws StartError for an expected cause or a missed deadline; any other error as it is.
 */
export async function startStep<Result>(
  step: StartStep,
  deadlineMs: number,
  work: () => Promise<Result>,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    // Not unreferenced: a step that waits for nothing the event loop knows would end the process with 0.
    timer = setTimeout(
      () => reject(new StartError(step, `no answer within ${deadlineMs / 1_000} s`)),
      deadlineMs,
    );
  });
  try {
    return await Promise.race([work(), late]);
  } catch (error) {
    if (error instanceof StartError) throw error;
    const cause = expectedCause(error);
    throw cause === null ? error : new StartError(step, cause.reason, cause.code, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
