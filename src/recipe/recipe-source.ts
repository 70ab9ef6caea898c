import type { Document, Node, Pair } from 'yaml';
import { isScalar, LineCounter, parseDocument } from 'yaml';
import { InputError } from '../errors.ts';
import { nearest } from './nearest.ts';
import { entryName } from './recipe.ts';

type Path = readonly PropertyKey[];

/** More than this is not a recipe. */
const LONGEST = 1_000_000;

/** The text of a recipe, with overrides put in, that knows where each of its values came from. */
export class RecipeSource {
  readonly #file: string;
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #overrides: { readonly path: Path; readonly text: string }[] = [];

  /** @throws InputError with file, line and column where the text is not YAML. */
  constructor(file: string, text: string) {
    this.#file = file;
    if (text.length > LONGEST) throw new InputError(`${file}: longer than ${LONGEST} characters; that is no recipe`);
    this.#lines = new LineCounter();
    this.#document = guarded(file, () => parseDocument(text, { lineCounter: this.#lines, stringKeys: true }));
    const problem = this.#document.errors[0] ?? this.#document.warnings[0];
    if (problem) throw new InputError(`${this.#where(problem.pos[0])}: ${firstLine(problem.message)}`);
  }

  /** @throws InputError for aliases that do not resolve or that multiply without end. */
  value(): unknown {
    return guarded(this.#file, () => this.#document.toJS({ maxAliasCount: 50 }));
  }

  /**
   * Puts `stages.verify.off=true` in. A stage is named as in the recipe, list items by their number from 0.
   * @throws InputError where the text is no override or leads nowhere.
   */
  override(text: string): void {
    const equals = text.indexOf('=');
    if (equals < 1) throw new InputError(`--set ${text}: must be like stages.verify.off=true`);
    const path = this.#overridePath(text, text.slice(0, equals).split('.'));
    const value = new RecipeSource(`--set ${text}`, text.slice(equals + 1)).value();
    try {
      this.#document.setIn(path, this.#document.createNode(value));
    } catch {
      throw new InputError(`--set ${text}: ${path.slice(0, -1).join('.')} has no parts in ${this.#file}`);
    }
    this.#overrides.push({ path, text: `--set ${text}` });
  }

  #overridePath(text: string, keys: readonly string[]): Path {
    const [room, name, ...rest] = keys;
    if (room === 'gates' && /^\d+$/.test(name ?? '')) return [room, Number(name), ...rest];
    if (room !== 'stages' || name === undefined) return keys;
    const stages: unknown = this.#plain()?.stages;
    const names = Array.isArray(stages) ? stages.map((entry) => String(entry && entryName(entry))) : [];
    const index = names.indexOf(name);
    if (index < 0) throw new InputError(`--set ${text}: no stage is called "${name}"${nearest(name, names)}`);
    return [room, index, ...rest];
  }

  #plain(): Record<string, unknown> | undefined {
    const value = this.value();
    return value && typeof value === 'object' ? (value as Record<string, unknown>) : undefined; // an object has keys
  }

  /** `recipes/quickstart.yaml:12:5` of the value at `path`, or of the key itself; or the override that put it there. */
  locate(path: Path, key?: string): string {
    const full = key === undefined ? path : [...path, key];
    const override = this.#overrides.findLast(({ path: set }) => set.every((part, index) => full[index] === part));
    if (override) return override.text;
    const offset =
      key === undefined ? this.#valueOffset(path) : (this.#keyOffset(path, key) ?? this.#valueOffset(path));
    return this.#where(offset);
  }

  #valueOffset(path: Path): number {
    for (let length = path.length; length >= 0; length--) {
      const node = this.#node(path.slice(0, length));
      if (node?.range) return node.range[0];
    }
    return 0;
  }

  #keyOffset(path: Path, key: string): number | undefined {
    const node = this.#node(path);
    if (!node || !('items' in node)) return undefined;
    const pairs = node.items as Pair[]; // a value that has the key is a map, and a map holds pairs
    const found = pairs.find((pair) => isScalar(pair.key) && pair.key.value === key)?.key;
    return isScalar(found) ? found.range?.[0] : undefined;
  }

  #node(path: Path): Node | undefined {
    if (path.length === 0) return this.#document.contents ?? undefined;
    return this.#document.getIn(path, true) as Node | undefined; // keepScalar: nodes, not values
  }

  #where(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return line > 0 ? `${this.#file}:${line}:${col}` : this.#file;
  }
}

/** The YAML library recurses, and refuses alias bombs by throwing: both are the input's fault. */
function guarded<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const why = error instanceof RangeError ? 'nested too deeply' : firstLine((error as Error).message);
    throw new InputError(`${file}: ${why}`);
  }
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0]!.replace(/ at line \d+, column \d+:?$/, '');
}
