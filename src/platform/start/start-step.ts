import { expectedCause } from './causes.js';
import { StartError, type StartStep } from './start-error.js';

/**
 * Runs one step of the start.
 * @param deadlineMs after which the step has failed, whether or not its promise ever settles.
 * @throws StartError for an expected cause or a missed deadline; any other error unchanged.
 */
export async function startStep<Result>(
  step: StartStep,
  deadlineMs: number,
  work: () => Promise<Result>,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    // Not unreferenced: if the event loop had nothing else to wait for, the process would exit with 0.
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
