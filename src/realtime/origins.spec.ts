import { io } from 'socket.io-client';
import { createCast, type Cast, PASSWORD } from '../../test/support/cast.js';
import { until } from '../../test/support/until.js';
import { createWorld, type World } from '../../test/support/world.js';

const INTRANET = 'https://intranet.example.com';

let world: World;
let cast: Cast;
let url: string;

beforeAll(async () => {
  world = await createWorld({ env: { WEB_ORIGINS: INTRANET } });
  await world.app.listen(0, '127.0.0.1');
  url = await world.app.getUrl();
  cast = await createCast(world);
});
afterAll(() => world.close());

/** Whether a page of this origin gets a connection, with a valid token unless another credential is given. */
async function connects(
  origin: string | null,
  { token = cast.admin.token, cookie }: { token?: string | null; cookie?: string } = {},
): Promise<boolean> {
  const socket = io(`${url}/notifications`, {
    auth: token === null ? {} : { token },
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    extraHeaders: { ...(origin === null ? {} : { origin }), ...(cookie === undefined ? {} : { cookie }) },
  });
  try {
    return await new Promise((resolve) => {
      socket.on('connect', () => resolve(true));
      socket.on('connect_error', () => resolve(false));
    });
  } finally {
    socket.disconnect();
  }
}

it('C6: a page opens a socket if it is of this server or of WEB_ORIGINS; programs have no origin', async () => {
  for (const origin of [null, url, INTRANET])
    expect([origin, await connects(origin)]).toEqual([origin, true]);
});

it.each(['https://evil.example.com', 'http://intranet.example.com', `${INTRANET}.evil.example`, 'null', 'x'])(
  'C6: a page of %j opens none, even with a valid token',
  async (origin) => {
    expect(await connects(origin)).toBe(false);
  },
);

describe('C6: the cookie of the console', () => {
  let cookie: string;

  beforeAll(async () => {
    const { headers } = await world.http('POST', '/api/v1/auth/session', {
      body: { email: cast.admin.email, password: PASSWORD, tenant: cast.tenant.slug },
    });
    cookie = (headers['set-cookie'] as string[])[0]!.split(';')[0]!;
  });

  it('C6: opens a socket for a page of this server, and for no other origin and no program', async () => {
    expect(await connects(url, { token: null, cookie })).toBe(true);
    for (const origin of [INTRANET, 'https://evil.example.com', null])
      expect([origin, await connects(origin, { token: null, cookie })]).toEqual([origin, false]);
    for (const forged of ['vigie_session=x', ''])
      expect(await connects(url, { token: null, cookie: forged })).toBe(false);
  });

  it('C6: is ignored if there is a token: browsers send it in any case', async () => {
    expect(await connects(url, { cookie })).toBe(true);
    expect(await connects(url, { token: 'x', cookie })).toBe(false);
  });

  it('C6: its socket ends with the sign-out', async () => {
    const socket = io(`${url}/notifications`, {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      extraHeaders: { origin: url, cookie },
    });
    await until('the connection', () => socket.connected);
    const out = await world.http('DELETE', '/api/v1/auth/session', { headers: { cookie } });
    expect(out.status).toBe(204);
    await until('the end', () => socket.disconnected);
    expect(await connects(url, { token: null, cookie })).toBe(false);
  });
});
