import type { Child } from './processes.js';

/** The environment of a server with an operator. */
export const OPERATOR = {
  VIGIE_OPERATOR_EMAIL: 'operator@vigie.example',
  VIGIE_OPERATOR_PASSWORD: 'a password of the bench',
};

/** Triggers the job as an operator does, for all tenants or one. @param tenant its slug */
export async function triggerOf({ url }: Child, job: string, tenant?: string): Promise<() => Promise<void>> {
  const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}/api/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return (await response.json()) as { access_token: string };
  };
  const { access_token } = await post('auth/login', {
    email: OPERATOR.VIGIE_OPERATOR_EMAIL,
    password: OPERATOR.VIGIE_OPERATOR_PASSWORD,
  });
  return async () => {
    const query = tenant === undefined ? '' : `?tenant=${tenant}`;
    await post(`admin/scheduler/${job}/trigger${query}`, {}, { authorization: `Bearer ${access_token}` });
  };
}
