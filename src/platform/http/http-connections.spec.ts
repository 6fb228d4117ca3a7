import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { createWorld } from '../../../test/support/world.js';
import { until } from '../../../test/support/until.js';

test('F13: a stopping process waits for neither a busy client nor a silent one', async () => {
  const world = await createWorld();
  await world.app.listen(0, '127.0.0.1');
  const { port, hostname } = new URL(await world.app.getUrl());
  const silent = connect(Number(port), hostname).on('error', () => undefined);
  const gone = new Promise((resolve) => silent.once('close', resolve));

  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let answers = 0;
  const keepRequesting = () => {
    get({ agent, hostname, port, path: '/livez' }, (response) => {
      answers += 1;
      response.resume().once('end', keepRequesting);
    }).on('error', () => undefined);
  };
  keepRequesting();
  await until('a busy client', () => answers > 10);

  const began = performance.now();
  await world.close();
  await gone;
  agent.destroy();
  expect(performance.now() - began).toBeLessThan(10_000);
}, 40_000);
