import { rm } from 'node:fs/promises';

export default async function tearDown() {
  const services = globalThis.vigieTestServices;
  if (services === undefined) return;
  await services.embedded.stop();
  await rm(services.data_dir, { recursive: true, force: true });
}
