import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/** @file Imports point down the list of rooms in docs/design.md, and no two files import each other in a circle. */

const SRC = fileURLToPath(new URL('../../src', import.meta.url));
const design = readFileSync(join(SRC, '../docs/design.md'), 'utf8');
/** From the top down: rooms on one line stand side by side and may not import each other. */
const LEVELS = (design.match(/```rooms\n([^`]*)```/)?.[1] ?? '').trim().split('\n').map(roomsOf);

function roomsOf(line: string): string[] {
  return (line.split(/ {2,}/)[0] ?? '').split(', ');
}

/** The longest room that a file lies in, and its level. */
function placeOf(file: string): { room: string; level: number } {
  const rooms = LEVELS.flatMap((names, level) => names.map((room) => ({ room, level })));
  const mine = rooms.filter(({ room }) => file === room || file.startsWith(`${room}/`));
  return mine.sort((a, b) => b.room.length - a.room.length)[0] ?? { room: `${file} in no room`, level: -1 };
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const imports = new Map(files.map((file) => [file, importsOf(file)]));

function importsOf(file: string): string[] {
  const found = readFileSync(join(SRC, file), 'utf8').matchAll(/(?:from|import)\s*\(?'(\.[^']+)'/g);
  return [...found].map(([, path = '']) => normalize(join(dirname(file), path)));
}

it('imports only from the own room and from rooms below', () => {
  const up = files.flatMap((file) =>
    (imports.get(file) ?? []).filter((other) => !isDown(file, other)).map((other) => `${file} -> ${other}`),
  );
  expect(up).toEqual([]);
});

function isDown(file: string, other: string): boolean {
  const [from, to] = [placeOf(file), placeOf(other)];
  return from.room === to.room || from.level < to.level;
}

it('has no circle of files', () => {
  const state = new Map<string, 'open' | 'done'>();
  const visit = (file: string, path: readonly string[]): string[] => {
    if (state.get(file) === 'done') return [];
    if (state.get(file) === 'open') return [[...path.slice(path.indexOf(file)), file].join(' -> ')];
    state.set(file, 'open');
    const circles = (imports.get(file) ?? []).flatMap((other) => visit(other, [...path, file]));
    state.set(file, 'done');
    return circles;
  };
  expect(files.flatMap((file) => visit(file, []))).toEqual([]);
});
