import type { DestinationStream } from 'pino';

const COLOURS = { debug: 90, info: 32, warn: 33, error: 31 } as const;
/** Shown elsewhere in the line, or only useful to programs. */
const HANDLED = new Set(['level', 'time', 'room', 'event', 'msg', 'hint', 'reason', 'err', 'stack']);

interface Shown {
  colours: boolean;
  /** Receives the lines. */
  write: (text: string) => void;
}

/** Turns the logger's JSON lines into lines for a person at a terminal. */
export function prettyDestination({ colours, write }: Shown): DestinationStream {
  return { write: (line: string) => write(prettyLine(line, colours)) };
}

/** One JSON line of the logger, formatted for a person; other text stays unchanged. */
export function prettyLine(line: string, colours: boolean): string {
  const fields = parse(line);
  if (fields === null) return line;
  const { level = 'info', time, room, event, msg, hint, reason, err, stack } = fields;
  const paint = (code: number, text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  const colour = typeof level === 'string' && level in COLOURS ? COLOURS[level as keyof typeof COLOURS] : 0;
  const what = [wordsOf(event), textOf(msg)].filter(Boolean).join(': ');
  const rest = Object.entries(fields).filter(([name, value]) => !HANDLED.has(name) && value !== null);
  const head = [
    paint(90, clockTime(time)),
    paint(colour, String(level).toUpperCase().padEnd(5)),
    paint(36, textOf(room).padEnd(9)),
    what,
    ...rest.map(([name, value]) => paint(90, `${name}=`) + valueOf(value)),
  ];
  const below = [
    ...linesOf(reason),
    textOf(hint) === '' ? '' : `→ ${textOf(hint)}`,
    ...causeOf(err),
    ...linesOf(stack),
  ];
  return `${[head.filter((part) => part !== '').join(' '), ...below.filter(Boolean).map(indented)].join('\n')}\n`;
}

function parse(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

/** `start_failed` → `start failed`. */
function wordsOf(event: unknown): string {
  return textOf(event).replaceAll('_', ' ');
}

/** A text without characters that control the terminal. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/\p{Cc}+/gu, ' ');
}

/** A value of `name=value`, quoted if it contains blanks. */
function valueOf(value: unknown): string {
  const text = Array.isArray(value) ? value.map(textOf).join(',') : textOf(value);
  return typeof value === 'object' || /^\S+$/.test(text) ? text : JSON.stringify(text);
}

/** An error as the logger describes it: its stack starts with its message. */
function causeOf(err: unknown): string[] {
  if (typeof err !== 'object' || err === null) return [];
  const { stack, ...rest } = err as { stack?: unknown };
  return typeof stack === 'string' ? linesOf(stack) : [textOf(rest)];
}

function linesOf(text: unknown): string[] {
  return typeof text === 'string' ? text.split('\n').map(textOf) : [];
}

const indented = (line: string) => `      ${line.trim()}`;

/** Local time of day. The line's own time is UTC. */
function clockTime(time: unknown): string {
  const date = new Date(String(time));
  return Number.isNaN(date.getTime()) ? '--:--:--' : date.toTimeString().slice(0, 8);
}
