/**
 * The CPU time that this process has used, in ms. Tests that limit how long work may take use it instead of the clock,
 * which also counts the time of other test processes. It does not include PostgreSQL's time, which only the time-out of
 * the test limits.
 */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** The CPU time of `work`, and of everything else that this process does meanwhile, in ms. */
export async function cpuOf(work: () => unknown): Promise<number> {
  const before = cpuMs();
  await work();
  return cpuMs() - before;
}
