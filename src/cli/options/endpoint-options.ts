import { type Command, Option } from 'commander';
import { MOST_SHOTS } from '../../problems/shots.ts';
import { positiveNumber, wholeNumber } from './numbers.ts';

/** What is measured, of a model wherever it is. */
export function addFamilyOptions(probe: Command): Command {
  return probe
    .option(
      '--family <name>',
      'of `unrut problems list`, or a .jsonl file of your own (default: dictionary-sum; of the organism its own)',
    )
    .option('--set <dial=value>', 'sets a dial of the family; may be repeated', collect)
    .option('--shots <number>', 'worked examples of the family in front of every problem', wholeNumber(1, MOST_SHOTS))
    .addOption(
      new Option('--mode <mode>', 'how own work is gone on from (default: prefill where it is shown to work)').choices([
        'prefill',
        'history',
      ]),
    );
}

/** What only an endpoint has, by the names under which the program has them. */
export const ENDPOINT_ONLY = [
  'budget',
  'maxCost',
  'prices',
  'effect',
  'keyEnv',
  'template',
  'replyTokens',
  'concurrency',
  'timeout',
  'resume',
] as const;

/** Seconds; Node's timers hold no more than 24 days, and ring at once above that. */
const LONGEST_TIMEOUT = 1_000_000;

/** What `unrut probe` takes beside for an endpoint. */
export function addEndpointOptions(probe: Command): Command {
  return probe
    .option('--budget <replies>', 'most replies; fewer problems are taken where it asks for that', wholeNumber(1))
    .option('--max-cost <usd>', 'most US dollars, by the price table', positiveNumber())
    .option('--prices <file>', 'price table (default: prices.json of unrut)')
    .option(
      '--effect <share>',
      'take as many problems as finding a change of this size needs, such as 0.05',
      positiveNumber(1),
    )
    .option(
      '--key-env <name>',
      'environment variable that holds the key (default: OPENAI_API_KEY or ANTHROPIC_API_KEY)',
    )
    .option(
      '--template <model>',
      "folder, or model of the hub, whose chat template renders prompts for the server's completions",
    )
    .option(
      '--reply-tokens <number>',
      'allow every reply so many tokens at least: for models that think first',
      wholeNumber(1),
    )
    .option('--concurrency <number>', 'most requests in flight (default: 64)', wholeNumber(1))
    .option('--timeout <seconds>', 'longest wait for one reply (default: 120)', wholeNumber(1, LONGEST_TIMEOUT))
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
