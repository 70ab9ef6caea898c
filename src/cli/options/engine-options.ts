import { type Command, Option } from 'commander';
import { InputError } from '../../errors.ts';
import { wholeNumber } from './numbers.ts';
import { optionName } from './option-name.ts';

/** Who trains. */
export type EngineOptions = {
  readonly engine?: 'embedded' | 'tinker';
  readonly baseUrl?: string;
  readonly baseModel?: string;
  readonly saveEvery?: number;
  readonly prices?: string;
};

/** A service that trains, and the model there. */
export type ServiceOptions = EngineOptions & { readonly baseUrl: string; readonly baseModel: string };

export function addEngineOptions(run: Command): Command {
  return run
    .addOption(new Option('--engine <engine>', 'what trains (default: embedded)').choices(['embedded', 'tinker']))
    .option('--base-url <address>', 'of a Tinker service; its key comes from TINKER_API_KEY alone')
    .option('--base-model <name>', "the recipe's model as the service calls it")
    .option(
      '--save-every <steps>',
      'steps from one checkpoint on the service to the next (default: 20)',
      wholeNumber(1),
    )
    .option('--prices <file>', 'price table, for --dry-run');
}

/** @throws InputError where a service is meant and not named, or named and not meant. */
export function serviceOf(options: EngineOptions): ServiceOptions | undefined {
  const { engine, baseUrl, baseModel, saveEvery, prices } = options;
  if (engine !== 'tinker') {
    const named = Object.entries({ baseUrl, baseModel, saveEvery, prices }).find(([, value]) => value !== undefined);
    if (named === undefined) return undefined;
    throw new InputError(`${optionName(named[0])} is of a service; add --engine tinker`);
  }
  const address = readBaseUrl(baseUrl, '--engine tinker');
  if (baseModel === undefined) throw new InputError('--engine tinker: name the model on the service with --base-model');
  return { ...options, baseUrl: address, baseModel };
}

/** @throws InputError where it is no address, or holds what belongs into no record. */
export function readBaseUrl(baseUrl: string | undefined, who: string): string {
  if (baseUrl === undefined || !/^https?:\/\//.test(baseUrl) || !URL.canParse(baseUrl)) {
    throw new InputError(`${who}: give the address of the service with --base-url http://HOST:PORT`);
  }
  const { username, password } = new URL(baseUrl);
  if (username || password) {
    throw new InputError('--base-url: holds a name or password, which would end up in records; set TINKER_API_KEY');
  }
  return baseUrl;
}

/** The same words again, for a command that goes on. */
export function engineWords(service: ServiceOptions | undefined): string[] {
  if (service === undefined) return [];
  const { baseUrl, baseModel, saveEvery } = service;
  const every = saveEvery === undefined ? [] : ['--save-every', String(saveEvery)];
  return ['--engine', 'tinker', '--base-url', baseUrl, '--base-model', baseModel, ...every];
}
