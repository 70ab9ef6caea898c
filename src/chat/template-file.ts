import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../disk/read-json.ts';
import { ModelError } from '../errors.ts';

/** @file Which chat template a model folder holds, as transformers looks for it. */

/** A special token, which older files write as an object. */
const token = z.union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)]).nullish();

/** The names that templates may use; other `*_token` fields are not passed to them. */
const specialTokens = {
  bos_token: token,
  eos_token: token,
  unk_token: token,
  sep_token: token,
  pad_token: token,
  cls_token: token,
  mask_token: token,
};

/** One template, or several by name. */
const templates = z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))]);

const configSchema = z.object({
  ...specialTokens,
  chat_template: templates.nullish(),
  added_tokens_decoder: z.record(z.string(), z.unknown()).optional(),
});
type Config = z.output<typeof configSchema>;

export type TemplateFile = {
  /** The file that the template stands in. */
  readonly path: string;
  readonly source: string;
  /** By the names that templates use: `bos_token`, `eos_token` and so on. */
  readonly tokens: Readonly<Record<string, string>>;
};

/**
 * Reads `chat_template.jinja`, or else `tokenizer_config.json`.
 * @throws ModelError where there is no template for chats, or several of which none is the default.
 */
export async function readTemplateFile(folder: string): Promise<TemplateFile> {
  const path = join(folder, 'tokenizer_config.json');
  const config = parsed(path, configSchema, await readJson(path));
  const tokens = await tokensOf(folder, config);
  const files = await templateFiles(folder);
  const named = files.length > 0 ? files : templatesOf(path, config.chat_template);
  const found = named.find(({ name }) => name === 'default');
  if (found !== undefined) return { path: found.path, source: found.source, tokens };
  if (named.length === 0) {
    throw new ModelError(`${path}: has no chat_template; a conversation needs one, take an instruction-tuned model`);
  }
  const names = named.map(({ name }) => name).join(', ');
  throw new ModelError(`${path}: has chat templates named ${names}, and none named "default"; name one of them so`);
}

type Named = { readonly name: string; readonly path: string; readonly source: string };

/** Templates in files of their own; where there are any, `tokenizer_config.json` has no say. */
async function templateFiles(folder: string): Promise<Named[]> {
  const main = join(folder, 'chat_template.jinja');
  const others = join(folder, 'additional_chat_templates');
  const extra = existsSync(others) ? (await readdir(others)).filter((name) => name.endsWith('.jinja')) : [];
  const files = extra.map((name) => ({ name: basename(name, '.jinja'), path: join(others, name) }));
  if (existsSync(main)) files.unshift({ name: 'default', path: main });
  return Promise.all(files.map(async (file) => ({ ...file, source: await readFile(file.path, 'utf8') })));
}

function templatesOf(path: string, given: Config['chat_template']): Named[] {
  if (typeof given === 'string') return [{ name: 'default', path, source: given }];
  return (given ?? []).map(({ name, template }) => ({ name, path, source: template }));
}

/** Older folders keep the special tokens in a file of their own, which goes first where the newer list is missing. */
async function tokensOf(folder: string, config: Config): Promise<Record<string, string>> {
  const path = join(folder, 'special_tokens_map.json');
  const older =
    config.added_tokens_decoder === undefined && existsSync(path)
      ? parsed(path, z.object(specialTokens), await readJson(path))
      : {};
  const all = { ...config, ...older };
  const names = Object.keys(specialTokens) as (keyof typeof specialTokens)[]; // keys of the literal above
  return Object.fromEntries(names.flatMap((name) => (typeof all[name] === 'string' ? [[name, all[name]]] : [])));
}

function parsed<Output>(path: string, schema: z.ZodType<Output>, json: unknown): Output {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!; // a failed parse has one
  throw new ModelError(`${path}: ${issue.path.join('.')}: ${issue.message}`);
}
