import { InputError } from '../../errors.ts';

const HIDDEN = '[key]';

/** A key that can be sent and nothing else: printed, recorded or inspected it is `[key]`. */
export class Secret {
  readonly #key: string | undefined;
  readonly #forms: readonly string[];

  constructor(key: string | undefined) {
    this.#key = key;
    this.#forms = key === undefined ? [] : formsOf(key);
  }

  /**
   * The key for an address, from the environment only: a key among the arguments would be in the shell's history and in
   * the list of processes.
   * @param variable what `--key-env` named; its value is never repeated, it might be the key itself by mistake.
   * @throws InputError where the named variable is not set, or holds what no header can carry.
   */
  static of(
    { keyVariable }: { readonly keyVariable: string | undefined },
    variable: string | undefined,
    env: NodeJS.ProcessEnv = process.env,
  ): Secret {
    const key = env[variable ?? keyVariable ?? '']?.trim() || undefined;
    if (variable !== undefined && key === undefined) {
      throw new InputError('--key-env: no variable of that name is set; give the name of one that holds the key');
    }
    if (key !== undefined && !/^[\x21-\x7e]+$/.test(key)) {
      throw new InputError(`${variable ?? keyVariable}: holds characters that a key cannot have; set it again`);
    }
    return new Secret(key);
  }

  /** For the client that sends it. */
  get key(): string | undefined {
    return this.#key;
  }

  /** The text without the key, in whatever form a server may have echoed it. */
  redact(text: string): string {
    return this.#forms.reduce((left, form) => left.replaceAll(form, HIDDEN), text);
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }
}

/** As it is, inside JSON, inside JSON that is quoted in JSON, inside a URL, in base64. Shorter keys could be any word. */
function formsOf(key: string): string[] {
  if (key.length < 6) return [];
  const quoted = (text: string): string => JSON.stringify(text).slice(1, -1);
  const base64 = Buffer.from(key).toString('base64').replace(/=+$/, '');
  return [...new Set([quoted(quoted(key)), quoted(key), key, encodeURIComponent(key), base64])];
}
