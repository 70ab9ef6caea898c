import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where package.json, recipes/ and models/ lie, whether run from src/ or from dist/. */
export const packageRoot = fileURLToPath(new URL('../../', import.meta.url));

export const packageVersion: string = JSON.parse(readFileSync(`${packageRoot}package.json`, 'utf8')).version;
