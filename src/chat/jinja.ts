import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { pythonFunctions, withPythonSemantics } from './python-semantics.ts';

/** @file Renders Jinja templates in the environment that transformers gives to chat templates. */

/** The template itself refuses what it is given, by `raise_exception`. */
export class TemplateRefusal extends Error {}

export type JinjaTemplate = (values: Readonly<Record<string, unknown>>) => string;

/** Parses a template. @throws Error in the library's words where it cannot be parsed. */
export function compile(source: string): JinjaTemplate {
  const unixLines = source.replaceAll(/\r\n?/g, '\n'); // Jinja2 reads every line end as \n
  const program = parse(tokenize(unixLines, { lstrip_blocks: true, trim_blocks: true }));
  withPythonSemantics(program);
  return (values) => {
    const environment = new Environment(shared);
    for (const [name, value] of Object.entries(values)) environment.set(name, value);
    return String(new Interpreter(environment).run(program).value);
  };
}

const globals = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  range,
  raise_exception: (message: string) => {
    throw new TemplateRefusal(message);
  },
  strftime_now: (format: string) => strftime(new Date(), format),
};

/** What every template may use. */
const shared = new Environment();
for (const [name, value] of Object.entries({ ...globals, ...pythonFunctions })) shared.set(name, value);

function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const count = Math.max(0, Math.ceil((to - from) / step));
  return Array.from({ length: count }, (_, at) => from + at * step);
}

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']; // biome-ignore format: one line
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

const two = (value: number): string => String(value).padStart(2, '0');

/** Python's directives in the C locale. */
const DIRECTIVES: Readonly<Record<string, (date: Date) => string>> = {
  a: (date) => DAYS[date.getDay()]!.slice(0, 3), // a day of the week
  A: (date) => DAYS[date.getDay()]!, // a day of the week
  b: (date) => MONTHS[date.getMonth()]!.slice(0, 3), // a month
  B: (date) => MONTHS[date.getMonth()]!, // a month
  d: (date) => two(date.getDate()),
  e: (date) => String(date.getDate()).padStart(2, ' '),
  F: (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
  H: (date) => two(date.getHours()),
  I: (date) => two(date.getHours() % 12 || 12),
  m: (date) => two(date.getMonth() + 1),
  M: (date) => two(date.getMinutes()),
  p: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  S: (date) => two(date.getSeconds()),
  T: (date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
  y: (date) => two(date.getFullYear() % 100),
  Y: (date) => String(date.getFullYear()),
  '-d': (date) => String(date.getDate()),
  '-m': (date) => String(date.getMonth() + 1),
  '-H': (date) => String(date.getHours()),
  '-I': (date) => String(date.getHours() % 12 || 12),
  '-M': (date) => String(date.getMinutes()),
  '%': () => '%',
};

/** @throws Error naming a directive that is not supported: another text would be another prompt. */
export function strftime(date: Date, format: string): string {
  return format.replaceAll(/%(-?.)/gs, (written, name: string) => {
    const directive = DIRECTIVES[name];
    if (directive === undefined) throw new Error(`strftime_now: the directive ${written} is not supported`);
    return directive(date);
  });
}
