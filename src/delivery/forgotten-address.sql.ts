const PREFIX = 'erased:';

/**
 * The placeholder for the address of an erased person. It differs for each delivery: one notification may
 * have several on a channel, to the person's devices.
 * @param d the alias of the delivery
 */
export function forgottenAddressSql(d: string): string {
  return `'${PREFIX}' || ${d}.id`;
}

/** Whether the delivery has an address that is not forgotten. */
export function hasAddressSql(d: string): string {
  return `(${d}.address <> '' AND NOT ${isForgottenSql(d)})`;
}

export function isForgottenSql(d: string): string {
  return `starts_with(${d}.address, '${PREFIX}')`;
}

/** The address as people see it: none after erasure. */
export function shownAddressSql(d: string): string {
  return `CASE WHEN ${isForgottenSql(d)} THEN '' ELSE ${d}.address END`;
}
