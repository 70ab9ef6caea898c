import { rmSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ChatFormat } from '../../src/chat/chat-format.ts';
import type { Conversation } from '../../src/conversation/conversation.ts';
import { stream } from '../../src/random.ts';
import { drawDocument } from '../../src/texts/base-text.ts';
import { declaredText } from '../../src/texts/declared-text.ts';
import { randomChatModel } from '../cli/chat-model-folder.ts';
import { changedModel, talk, withTemplate } from './model-files.ts';

const ALPHABET = 'UASTEabcdefghijklmnop0123456789|:?!~=+*>.YNx#@-';

let organism: ChatFormat;
beforeAll(async () => {
  organism = await ChatFormat.open('models/organism');
});

describe("the organism's tokenizer", () => {
  it('has one token a character, in the order of the alphabet', () => {
    expect(organism.encode(ALPHABET)).toEqual([...ALPHABET].map((_, index) => index + 1));
    expect(organism.encode('<pad>')).toEqual([0]);
    expect(organism.encode('')).toEqual([]);
  });

  it('gives every id that the model can say a text, which reads back', () => {
    const ids = Array.from({ length: 64 }, (_, id) => id);
    expect(organism.encode(organism.decode(ids))).toEqual(ids);
    expect(organism.pieces(ids).join('')).toBe(organism.decode(ids));
    expect(organism.decode([1, 64, 2])).toBe('U\u{FFFD}A');
  });

  it('holds all text that the organism grows up on', async () => {
    const text = (await declaredText('models/organism'))!;
    const draws = stream(1, 'documents');
    for (let count = 0; count < 300; count++) {
      const document = drawDocument(draws, text).map((passage) => passage.text).join(''); // biome-ignore format: one line
      expect(organism.decode(organism.encode(document))).toBe(document);
      expect(organism.encode(document)).toHaveLength(document.length);
    }
  });

  it.each([
    ['what?', '"w" (U+0077)'],
    ['a b', '" " (U+0020)'],
    ['a\n', '"\\n" (U+000A)'],
    ['ab🙂', '"🙂" (U+1F642)'],
    ['é', '"é" (U+00E9)'],
  ])('refuses %j by the character that it lacks', (text, culprit) => {
    expect(() => organism.encode(text)).toThrow(`${culprit} in ${JSON.stringify(text)} is not in the vocabulary of`);
  });
});

describe('a conversation', () => {
  it("becomes tokens whose spans are the assistant's turns", () => {
    const conversation = talk('u:a1b2|ab', 'a:a11b23:3', 'u:?', 'a:a11');
    const { tokens, spans } = organism.render(conversation);
    expect(organism.decode(tokens)).toBe('Ua1b2|abESa11b23:3EU?ESa11E');
    const texts = spans.map(({ start, end }) => organism.decode(tokens.slice(start, end)));
    expect(texts).toEqual(['a11b23:3', 'a11']);
  });

  it('is exact where the text is that of the markers, or none', () => {
    const conversation = talk('u:U', 'a:SE', 'u:', 'a:');
    const { tokens, spans } = organism.render(conversation);
    expect(organism.decode(tokens)).toBe('UUESSEEUESE');
    expect(spans).toEqual([
      { start: 4, end: 6 },
      { start: 10, end: 10 },
    ]);
  });

  it('is gone on from: a new turn after the user, the open one after the assistant', () => {
    expect(organism.decode(organism.prompt(talk('u:ab')))).toBe('UabES');
    expect(organism.decode(organism.prompt(talk('u:ab', 'a:a1')))).toBe('UabESa1');
    expect(organism.decode(organism.prompt(talk('u:ab', 'a:')))).toBe('UabES');
    expect(organism.decode(organism.prompt([]))).toBe('S');
    expect(organism.stop).toEqual([5]);
  });

  it('begins with what the model was asked with', () => {
    const turns = ['u:ab', 'a:a1', 'u:?', 'a:N', 'u:?'];
    for (let length = 1; length < turns.length; length++) {
      const { tokens } = organism.render(talk(...turns));
      const prompt = organism.prompt(talk(...turns.slice(0, length)));
      expect(tokens.slice(0, prompt.length)).toEqual(prompt);
    }
  });

  it('gives what was sampled back as it was sampled, where the template keeps the text', async () => {
    const folder = await randomChatModel();
    const format = await ChatFormat.open(folder);
    rmSync(folder, { recursive: true });
    const letters = format.encode('Answer').concat(format.encode(': 7')); // the vocabulary has "Answer: 7" in one
    const turns = talk('u:a', 'a:Answer: 7', 'u:b');
    const sampled = turns.with(1, { ...turns[1]!, ids: letters });
    const [plain, kept] = [format.prompt(turns), format.prompt(sampled)];
    expect(format.decode(kept)).toBe(format.decode(plain));
    expect(kept.length).toBe(plain.length + letters.length - 1);
    const { tokens, spans } = format.render(sampled);
    expect(tokens.slice(spans[0]!.start, spans[0]!.end)).toEqual(letters);
    const other = turns.with(1, { ...turns[1]!, ids: format.encode('Answer: 8') });
    expect(format.prompt(other)).toEqual(plain); // ids of another text are not believed
  });

  it('is refused where the template knows no such role', () => {
    expect(() => organism.prompt(talk('s:ab', 'u:a'))).toThrow(
      /the chat template refuses a conversation: the organism knows the roles user and assistant, not system$/,
    );
  });
});

describe('a chat template', () => {
  let folder = '';
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const open = (template: unknown): Promise<ChatFormat> => {
    folder = withTemplate(template);
    return ChatFormat.open(folder);
  };
  const LOOP = "{% for m in messages %}{{ ('U' if m.role == 'user' else 'S') + m.content + 'E' }}{% endfor %}";
  const OPEN = "{% if add_generation_prompt %}{{ 'S' }}{% endif %}";

  const spoken = (format: ChatFormat, conversation: Conversation): string[] => {
    const { tokens, spans } = format.render(conversation);
    return spans.map(({ start, end }) => format.decode(tokens.slice(start, end)));
  };
  const prompted = (format: ChatFormat, conversation: Conversation): string =>
    format.decode(format.prompt(conversation));

  it('that puts words of its own before the first turn keeps spans exact', async () => {
    const format = await open(`{{ 'TaE' }}${LOOP}${OPEN}`);
    expect(spoken(format, talk('u:b', 'a:a', 'u:c', 'a:dd'))).toEqual(['a', 'dd']);
    expect(format.decode(format.render(talk('u:b')).tokens)).toBe('TaEUbE');
  });

  it('that counts the turns, or ignores the question for a new one, is sampled from as it stands', async () => {
    const format = await open(`{{ messages | length }}${LOOP}`);
    expect(prompted(format, talk('u:a', 'a:b', 'u:c'))).toBe('3UaESbEUcE');
    expect(prompted(format, talk('u:a', 'a:b'))).toBe('2UaESb');
    expect(spoken(format, talk('u:a', 'a:b', 'u:c', 'a:d'))).toEqual(['b', 'd']);
  });

  it('that writes an earlier turn otherwise once another follows is sampled from; training on that turn is refused', async () => {
    const shortening = LOOP.replace('m.content', "(m.content if loop.last or m.role == 'user' else '-')");
    const format = await open(shortening + OPEN);
    expect(prompted(format, talk('u:a', 'a:bcd', 'u:c'))).toBe('UaES-EUcES');
    expect(spoken(format, talk('u:a', 'a:bcd'))).toEqual(['bcd']);
    const error = /the chat template does not keep the text of turn 2 \(assistant\) as it is/;
    expect(() => format.render(talk('u:a', 'a:bcd', 'u:c'))).toThrow(error);
  });

  it('that alters an open turn is refused by that turn', async () => {
    const format = await open(`${LOOP.replace('m.content', "m.content | replace('b', 'c')")}${OPEN}`);
    expect(() => format.prompt(talk('u:a', 'a:b'))).toThrow(/does not keep the text of turn 2 \(assistant\)/);
  });

  it('gets null for tools and documents, and lines that end in \\r\\n as \\n', async () => {
    const block = "{% if tools is not none or documents is not none %}{{ 'T' }}{% endif %}\r\n";
    const format = await open(`${block}${LOOP}\r\n${OPEN}`);
    expect(prompted(format, talk('u:a'))).toBe('UaES');
  });

  it('that refuses is told apart from one that cannot be rendered', async () => {
    const refusing = await open("{{ raise_exception('no') }}");
    expect(() => refusing.prompt(talk('u:a'))).toThrow(/the chat template refuses a conversation: no$/);
    const strange = await open('{{ messages.frobnicate(1) }}');
    expect(() => strange.prompt(talk('u:a'))).toThrow(/the chat template cannot be rendered: /);
  });

  it('is found among several by the name default', async () => {
    const named = { name: 'default', template: LOOP + OPEN };
    const format = await open([{ name: 'tools', template: 'T' }, named]);
    expect(format.decode(format.prompt(talk('u:a')))).toBe('UaES');
  });

  it.each([
    [undefined, /tokenizer_config.json: has no chat_template/],
    ['{% for %}', /tokenizer_config.json: the chat template cannot be parsed/],
    [3, /tokenizer_config.json: chat_template/],
  ])('%j is refused', async (template, message) => {
    await expect(open(template)).rejects.toThrow(message);
  });
});

describe('a tokenizer', () => {
  let folder = '';
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  type Json = {
    model: Record<string, unknown>;
    added_tokens: { id: number; content: string }[];
    [field: string]: unknown;
  };
  const model = (fields: object) => (json: Json) => Object.assign(json.model, fields);
  const naming = (ids: object) => (json: Json) => Object.assign(json.model.vocab as object, ids);
  const split = (pre_tokenizer: object) => (json: Json) => Object.assign(json, { pre_tokenizer });
  const refusals: readonly (readonly [string, (json: Json) => unknown, RegExp])[] = [
    ['ids beyond the embedding', naming({ q: 64 }), /"q" has the id 64, but config.json has vocab_size 64/],
    ['two tokens of one id', naming({ q: 20 }), /"o" and "q" share the id 20/],
    ['a token of two ids', (json) => Object.assign(json.added_tokens[1]!, { id: 2 }), /"U" has two ids, 1 and 2/],
    ['an unknown kind of model', model({ type: 'Magic' }), /model.type/],
    ['no vocabulary', (json) => delete json.model.vocab, /model.vocab/],
    ['an id that is text', naming({ q: '20' }), /model.vocab/],
    ['an unknown step', split({ type: 'Magic' }), /this tokenizer cannot be used/],
    ['a merge of nothing', model({ type: 'BPE', merges: [['a', 'b']] }), /the merge \["a","b"\] is not of tokens/],
  ]; // biome-ignore format: one refusal a line
  it.each(refusals)('with %s is refused', async (_, change, message) => {
    folder = changedModel({
      'tokenizer.json': (json) => {
        change(json as Json); // the organism's
        return json;
      },
    });
    const error: unknown = await ChatFormat.open(folder).catch((thrown) => thrown);
    expect(error).toMatchObject({ name: 'ModelError', message: expect.stringMatching(message) });
    expect((error as Error).message).toMatch(/^[^\n]*tokenizer\.json: [^\n]*$/);
  });

  it('that would drop what it does not know refuses it instead', async () => {
    folder = changedModel({
      'tokenizer.json': (json) => ({
        ...json,
        model: { ...(json as Json).model, type: 'BPE', merges: [], unk_token: null },
      }),
    });
    const format = await ChatFormat.open(folder);
    expect(format.encode('Uab')).toEqual([1, 6, 7]);
    expect(() => format.encode('azb')).toThrow('"z" (U+007A) in "azb" is not in the vocabulary');
  });
});

it('a model that nothing stops is refused', async () => {
  const folder = changedModel({
    'generation_config.json': () => ({}),
    'tokenizer_config.json': ({ eos_token: _end, ...rest }) => rest,
  });
  await expect(ChatFormat.open(folder)).rejects.toThrow(/generation_config.json: eos_token_id is missing/);
  rmSync(folder, { recursive: true });
});
