/**
 * Returns the memory that only the start needed to the system: 50 of 225 MB. A process with little to do would keep it,
 * because V8 shrinks its heap only after it has collected garbage several times. Blocks for about 150 ms.
 *
 * The inspector's command is the only way: `global.gc` leaves the heap as large as it is.
 */
export async function releaseStartMemory(): Promise<void> {
  try {
    const { Session } = await import('node:inspector/promises');
    const session = new Session();
    session.connect();
    await session.post('HeapProfiler.collectGarbage');
    session.disconnect();
  } catch {
    // A Node.js built without the inspector keeps the memory.
  }
}
