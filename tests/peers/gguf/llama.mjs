// Asks llama.cpp, by node-llama-cpp's prebuilt binary: `node llama.mjs FOLDER ids TEXTS FILE...`, `... reply PROMPT FILE`.
// FOLDER holds node_modules with node-llama-cpp.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, verb, what, ...files] = process.argv.slice(2);
const found = createRequire(join(resolve(folder), 'x.js')).resolve('node-llama-cpp');
const { getLlama } = await import(pathToFileURL(found));
const llama = await getLlama({ gpu: false, build: 'never', maxThreads: 1, logLevel: 'disabled', progressLogs: false });

/** Ids of each text, special tokens among them, nothing added. */
async function ids(texts, path) {
  const model = await llama.loadModel({ modelPath: path, vocabOnly: true });
  const found = texts.map((text) => [...model.tokenize(text, true)]);
  await model.dispose();
  return found;
}

/** Greedy tokens behind a prompt of ids. */
async function reply({ prompt, tokens }, path) {
  const model = await llama.loadModel({ modelPath: path });
  const context = await model.createContext({ contextSize: 512, threads: 1 });
  const sequence = context.getSequence();
  const said = [];
  for await (const token of sequence.evaluate(prompt, { temperature: 0 })) {
    said.push(token);
    if (said.length === tokens) break;
  }
  const text = model.detokenize(said, true);
  await model.dispose();
  return { said, text };
}

const given = JSON.parse(readFileSync(what, 'utf8'));
const answers = {};
for (const file of files) answers[file] = await { ids, reply }[verb](given, file);
process.stdout.write(JSON.stringify(answers));
await llama.dispose();
