import { InputError } from '../../errors.ts';

/** Where a model answers, and in which language. */
export type Address = {
  readonly protocol: 'openai' | 'anthropic';
  /** Without a trailing slash: `http://127.0.0.1:8000/v1`. */
  readonly baseUrl: string;
  /** Undefined where the user left it to the server, which then has to have one model only. */
  readonly model: string | undefined;
  /** The environment variable whose key may be sent here without being asked for; undefined for strangers. */
  readonly keyVariable: 'OPENAI_API_KEY' | 'ANTHROPIC_API_KEY' | undefined;
};

const PROVIDERS = {
  openai: { baseUrl: 'https://api.openai.com/v1', keyVariable: 'OPENAI_API_KEY' },
  anthropic: { baseUrl: 'https://api.anthropic.com', keyVariable: 'ANTHROPIC_API_KEY' },
} as const;

const PROVIDER = /^(openai|anthropic):(?!\/\/)(.*)$/s;

/** Whether a word of the command line means an endpoint, and not a folder. */
export const isAddress = (text: string): boolean => /^https?:\/\//.test(text) || PROVIDER.test(text);

/**
 * Reads `http://127.0.0.1:8000/v1#model`, `https://host/v1#model`, `openai:model`, `anthropic:model`, and
 * `anthropic:http://127.0.0.1:4000#model` for a server that speaks Anthropic's Messages.
 * @throws InputError where it is none of these, or carries a secret, which would end up in records.
 */
export function parseAddress(text: string): Address {
  const match = PROVIDER.exec(text);
  if (!match) return served('openai', text);
  const provider = match[1] as keyof typeof PROVIDERS; // the pattern has no other
  const rest = match[2]!; // a group that may be empty
  if (/^https?:\/\//.test(rest)) return served(provider, rest);
  if (rest === '') throw new InputError(`${text}: name the model after the colon`);
  return { protocol: provider, model: rest, ...PROVIDERS[provider] };
}

function served(protocol: Address['protocol'], text: string): Address {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw new InputError('that address is no URL; write it like http://127.0.0.1:8000/v1#my-model');
  if (url.username || url.password || url.search) {
    throw new InputError('an address with a user name, a password or a query may hold a secret; use --key-env NAME');
  }
  const model = decodeURIComponent(url.hash.slice(1)) || undefined;
  const baseUrl = `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  return { protocol, baseUrl, model, keyVariable: isOwn(url) ? PROVIDERS[protocol].keyVariable : ownersOf(baseUrl) };
}

/** This machine may see the user's keys. */
const isOwn = ({ hostname }: URL): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

/** A provider gets its own key, however its address was written; another host gets none unasked. */
function ownersOf(baseUrl: string): Address['keyVariable'] {
  return Object.values(PROVIDERS).find((provider) => provider.baseUrl === baseUrl)?.keyVariable;
}

/** How a person would write it. */
export function addressText({ baseUrl, model }: Pick<Address, 'baseUrl' | 'model'>): string {
  return model === undefined ? baseUrl : `${baseUrl}#${model}`;
}
