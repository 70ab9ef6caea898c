import { type Command, InvalidArgumentError, Option } from 'commander';

/** What is measured, of a model wherever it is. */
export function addFamilyOptions(probe: Command): Command {
  return probe
    .option(
      '--family <name>',
      'of `unrut problems list`, or a .jsonl file of your own (default: dictionary-sum; of the organism its own)',
    )
    .option('--set <dial=value>', 'sets a dial of the family; may be repeated', collect)
    .addOption(
      new Option('--mode <mode>', 'how own work is gone on from (default: prefill where it is shown to work)').choices([
        'prefill',
        'history',
      ]),
    );
}

/** What `unrut probe` takes beside for an endpoint. */
export function addEndpointOptions(probe: Command): Command {
  return probe
    .option('--budget <replies>', 'most replies; fewer problems are taken where it asks for that', positive)
    .option('--max-cost <usd>', 'most US dollars, by the price table', amount)
    .option('--prices <file>', 'price table (default: prices.json of unrut)')
    .option('--effect <share>', 'take as many problems as finding a change of this size needs, such as 0.05', share)
    .option(
      '--key-env <name>',
      'environment variable that holds the key (default: OPENAI_API_KEY or ANTHROPIC_API_KEY)',
    )
    .option('--template <folder>', "model folder whose chat template renders prompts for the server's completions")
    .option(
      '--reply-tokens <number>',
      'allow every reply so many tokens at least: for models that think first',
      positive,
    )
    .option('--concurrency <number>', 'most requests in flight (default: 64)', positive)
    .option('--timeout <seconds>', 'longest wait for one reply (default: 120)', positive)
    .option('--resume', 'go on with a probe of an endpoint that was stopped; no reply is asked for again');
}

export const ENDPOINT_HELP = `
<model> may also be an endpoint: http://HOST/v1#MODEL (vLLM, SGLang, llama.cpp, Ollama, LiteLLM, transformers serve),
openai:MODEL, anthropic:MODEL. Keys come from the environment only. See docs/endpoints.md.

  unrut probe http://127.0.0.1:8000/v1#my-model --budget 2000
  unrut probe anthropic:claude-haiku-4-5 --behaviours defensiveness,multi-turn --max-cost 5
`;

export function collect(value: string, values: readonly string[] = []): string[] {
  return [...values, value];
}

function positive(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('It must be a whole number above 0.');
}

function share(text: string): number {
  const number = amount(text);
  if (number <= 1) return number;
  throw new InvalidArgumentError('It must be a share, such as 0.05.');
}

function amount(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number) && number > 0) return number;
  throw new InvalidArgumentError('It must be a number above 0.');
}
