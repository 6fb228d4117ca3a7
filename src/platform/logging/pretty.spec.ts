import { spawnSync } from 'node:child_process';
import { JsonLogger, logDestination } from './logger.js';
import { prettyDestination, prettyLine } from './pretty.js';

/** The text that a person sees, with `--:--:--` for the time. */
function seen(work: (log: JsonLogger) => void, level = 'info'): string {
  let text = '';
  const destination = prettyDestination({ colours: false, write: (line) => void (text += line) });
  work(new JsonLogger(level, destination));
  return text.replaceAll(/^\d\d:\d\d:\d\d/gm, '--:--:--');
}

describe('R13: log lines on a terminal', () => {
  it('R13: are formatted for people', () => {
    const text = seen((log) => {
      log.log('Redis is ready', 'Embedded');
      log.log({ event: 'started', url: 'http://127.0.0.1:3000', roles: ['web', 'worker'] }, 'Vigie');
      log.warn({ event: 'no_operator', hint: 'make one' }, 'Vigie');
      log.log({ event: 'x', empty: '', blank: 'a b', gone: null, count: 3, detail: { a: 1 } }, 'Room');
    });
    expect(text).toBe(`--:--:-- INFO  Embedded  Redis is ready
--:--:-- INFO  Vigie     started url=http://127.0.0.1:3000 roles=web,worker
--:--:-- WARN  Vigie     no operator
      → make one
--:--:-- INFO  Room      x empty="" blank="a b" count=3 detail={"a":1}
`);
  });

  it('R13: show the reason of a failed start below its line, then what to do', () => {
    const fields = {
      event: 'start_failed',
      step: 'redis',
      where: 'h:1',
      reason: 'no answer:\nnone',
      hint: 'Wait',
    };
    expect(seen((log) => log.error(fields, 'Vigie')))
      .toBe(`--:--:-- ERROR Vigie     start failed step=redis where=h:1
      no answer:
      none
      → Wait
`);
  });

  it('R13: show an error below its line', () => {
    const text = seen((log) => log.error({ event: 'failed', err: new TypeError('no') }, 'Room'));
    expect(text).toMatch(/^--:--:-- ERROR Room {6}failed\n {6}TypeError: no\n {6}at /);
  });

  it('R13: cannot steer the terminal', () => {
    const text = seen((log) => {
      log.log('\u001b[2J\u009b31m\u0007\r\nforged', 'Room');
      log.log({ event: 'a\u001bb', subject: 'x\u001b]0;title\u0007', hint: '\u001b[1m' }, '\u001bRoom');
      log.error({ event: 'failed', err: new Error('\u001b[2J') }, 'Room');
    });
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(text.split('\n')[0]).toContain('forged');
  });

  it('R13: keep lines that are not JSON, and use colours only where allowed', () => {
    expect(prettyLine('plain\n', true)).toBe('plain\n');
    expect(prettyLine('[1]\n', true)).toBe('[1]\n');
    expect(prettyLine('{"level":"warn","msg":"m"}\n', true)).toContain('\u001b[33mWARN \u001b[0m');
  });

  it('R13: hide the same fields as JSON lines', () => {
    expect(seen((log) => log.log({ event: 'x', password: 'p4ss' }, 'Room'))).not.toContain('p4ss');
  });
});

it('R13: auto means JSON without a terminal, and pretty can be requested', () => {
  expect(logDestination('json')).toBeUndefined();
  expect(logDestination('pretty')).toBeDefined();
  const script = `const { JsonLogger, logDestination } = await import('./dist/platform/logging/logger.js');
    new JsonLogger('info', logDestination('auto')).log('line', 'Room');`;
  const node = [process.execPath, '--input-type=module', '-e', script];
  const piped = spawnSync(node[0]!, node.slice(1), { encoding: 'utf8' });
  expect(JSON.parse(piped.stdout)).toMatchObject({ level: 'info', room: 'Room', msg: 'line' });
  // script(1) provides a terminal.
  const command = node.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const onTerminal = spawnSync('script', ['-qec', command, '/dev/null'], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  expect(onTerminal.stdout.trim()).toMatch(/^\d\d:\d\d:\d\d INFO {2}Room {6}line$/);
});

it('R13: Nest logs its modules and routes at debug level', () => {
  const rooms = (level: string) =>
    seen((log) => {
      log.log('Mapped {/me, GET} route', 'RouterExplorer');
      log.log('AppModule dependencies initialized', 'InstanceLoader');
      log.warn('a warning', 'RouterExplorer');
    }, level).match(/Mapped|initialized|a warning/g);
  expect(rooms('info')).toEqual(['a warning']);
  expect(rooms('debug')).toEqual(['Mapped', 'initialized', 'a warning']);
});
