/** Answers requests with `answer`, one at a time, in order. Ends with the bench. */
export function serve(url: string, answer: (request: never) => Promise<object>): void {
  process.on('message', (request) => {
    answer(request as never).then(
      (result) => process.send?.(result),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
        process.exit(1);
      },
    );
  });
  process.once('disconnect', () => process.exit(0));
  process.once('SIGTERM', () => process.exit(0));
  process.send?.({ url });
}

/** Milliseconds on the machine's monotonic clock, which all processes share. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
