import type { Act, AuditLog } from '../../platform/audit/audit-log.js';
import { SignIns } from './sign-ins.js';

it('keeps the counts of a bounded number of networks', () => {
  const written: Act[] = [];
  const write = (act: Act) =>
    Promise.resolve(void written.push(act)).then(() => ({ id: '', tenant_id: null }));
  const signIns = new SignIns({ write } as unknown as AuditLog);
  const refuse = (ip: string) =>
    signIns.refused({ id: null, tenant_id: null }, { action: 'POST', request_id: 'r', ip }, 401);
  const recorded = (ip: string) => written.filter((act) => act.ip === ip).length;
  for (let refusal = 0; refusal < 70; refusal++) refuse('192.0.2.1');
  expect(recorded('192.0.2.1')).toBe(60);
  for (let at = 0; at < 50_000; at++) refuse(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`);
  refuse('192.0.2.1');
  expect(recorded('192.0.2.1')).toBe(61);
});
