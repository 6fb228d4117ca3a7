import { isReason, type Reason } from '../../contracts/reasons.js';
import type { DeliveryDecision } from '../../delivery/decisions.sql.js';
import type { StopReason } from '../../delivery/stopped-addresses/stopped-address.js';

type Choice = Pick<DeliveryDecision, 'own_choice' | 'tenant_choice' | 'default_on' | 'optional'>;

const STOPPED_REASONS: Readonly<Record<StopReason, Reason>> = {
  hard_bounce: 'address_bounced',
  complaint: 'address_complained',
  stop: 'address_opted_out',
};

/**
 * Why a delivery was created on a channel. The choice at that time is not recorded: if the present choice is
 * "off", it was made later.
 */
export function onReason(choice: Choice, severity: string): Reason {
  const { own_choice, tenant_choice, default_on, optional } = choice;
  if (!optional) return 'always_sent';
  if (isOn(choice)) {
    if (own_choice !== null) return 'on_by_user';
    return tenant_choice === null ? 'on_by_default' : 'on_by_tenant';
  }
  if (default_on && severity === 'critical') return 'critical';
  return own_choice === null && tenant_choice === null ? 'channel_chosen' : 'on_then';
}

/** Why no delivery was created on a channel, by the decision that would be made now. */
export function offReason(decision: DeliveryDecision): Reason {
  const { own_choice, tenant_choice, recorded, channel } = decision;
  if (recorded) return 'turned_on_later';
  if (isOn(decision)) return channel === 'push' ? 'no_device' : 'no_address';
  if (own_choice !== null) return 'preference';
  return tenant_choice === null ? 'kind_off' : 'tenant_preference';
}

function isOn({ own_choice, tenant_choice, default_on }: Choice): boolean {
  return own_choice ?? tenant_choice ?? default_on;
}

/** A stored reason, made more specific by what is known now. */
export function refinedReason(
  code: string | null,
  channel: string,
  stopped: StopReason | null,
): Reason | null {
  if (code === 'no_address' && channel === 'push') return 'no_device';
  if (code === 'address_stopped' && stopped !== null) return STOPPED_REASONS[stopped];
  return code !== null && isReason(code) ? code : null;
}
