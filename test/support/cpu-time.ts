/**
 * The CPU time that this process has used, in ms. Tests that limit how long work may take compare it instead of the
 * clock, which also counts what other test processes take. It does not count PostgreSQL's: that is limited by the
 * time-out of the test.
 */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** The CPU time of `work`, and of whatever else this process does meanwhile, in ms. */
export async function cpuOf(work: () => unknown): Promise<number> {
  const before = cpuMs();
  await work();
  return cpuMs() - before;
}
