import { isUUID } from 'class-validator';

/** The length of a UUID in a token. */
export const UUID_BYTES = 16;

/** @throws Error for anything but a UUID */
export function bytesOfUuid(uuid: string): Buffer {
  if (!isUUID(uuid)) throw new Error('not a UUID');
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
}

/** The UUID of 16 bytes. */
export function uuidOfBytes(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
