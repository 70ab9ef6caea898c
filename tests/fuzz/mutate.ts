import type { Stream } from '../../src/random.ts';

/** @file Damage: to bytes, as disks and downloads do it, and to JSON values, as people and other programs do it. */

/** One to three wounds anywhere. */
export function mutateBytes(draws: Stream, bytes: Uint8Array): Uint8Array {
  let mutated = bytes;
  for (let wounds = 1 + draws.integer(3); wounds > 0; wounds--) mutated = draws.pick(WOUNDS)(draws, mutated);
  return mutated;
}

type Wound = (draws: Stream, bytes: Uint8Array) => Uint8Array;

const WOUNDS: readonly Wound[] = [
  (draws, bytes) => set(bytes, place(draws, bytes), (byte) => byte ^ (1 << draws.integer(8))),
  (draws, bytes) => set(bytes, place(draws, bytes), () => draws.integer(256)),
  (draws, bytes) => set(bytes, place(draws, bytes), () => draws.pick(LIKELY)),
  (draws, bytes) => bytes.slice(0, place(draws, bytes)),
  (draws, bytes) => splice(bytes, place(draws, bytes), 1 + draws.integer(4), new Uint8Array(0)),
  (draws, bytes) => splice(bytes, place(draws, bytes), 0, Uint8Array.of(draws.pick(LIKELY))),
  (draws, bytes) => {
    const from = place(draws, bytes);
    return splice(bytes, place(draws, bytes), 0, bytes.slice(from, from + 1 + draws.integer(24)));
  },
];

/** Characters that mean something in JSON or YAML. */
const LIKELY = [...new TextEncoder().encode('{}[]":,-0123456789eE.+ \ntfnu\\#&*!|>%@`\t\0')];

const place = (draws: Stream, bytes: Uint8Array): number => draws.integer(Math.max(1, bytes.length));

function set(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  if (at < copy.length) copy[at] = change(copy[at]!);
  return copy;
}

function splice(bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  return Uint8Array.from([...bytes.subarray(0, at), ...insert, ...bytes.subarray(at + remove)]);
}

/** One or two changes to a JSON value, at any depth. */
export function mutateJson(draws: Stream, value: unknown): unknown {
  const copy = structuredClone(value);
  for (let changes = 1 + draws.integer(2); changes > 0; changes--) changeSomewhere(draws, copy);
  return copy;
}

type Container = Record<string, unknown> | unknown[];

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;

function changeSomewhere(draws: Stream, root: unknown): void {
  const containers = everyContainer(root).filter((one) => Object.keys(one).length > 0);
  if (containers.length === 0) return;
  const container = draws.pick(containers) as Record<string, unknown>; // lists take their indices as keys
  const key = draws.pick(Object.keys(container));
  draws.pick(CHANGES)(draws, container, key);
}

function everyContainer(value: unknown): Container[] {
  return isContainer(value) ? [value, ...Object.values(value).flatMap(everyContainer)] : [];
}

type Change = (draws: Stream, container: Record<string, unknown>, key: string) => void;

const CHANGES: readonly Change[] = [
  (draws, container, key) => {
    container[key] = draws.pick(STRANGE);
  },
  (draws, container, key) => {
    const old = container[key];
    if (typeof old === 'number') container[key] = draws.pick([old + 1, old - 1, -old, old * 2, old / 2, old * 1e9]);
    else if (typeof old === 'boolean') container[key] = !old;
    else if (typeof old === 'string') container[key] = misspelt(draws, old);
  },
  (_, container, key) => {
    if (Array.isArray(container)) container.splice(Number(key), 1);
    else delete container[key];
  },
  (draws, container, key) => {
    if (Array.isArray(container)) return void container.push(structuredClone(container[Number(key)]));
    const value = container[key];
    delete container[key];
    container[misspelt(draws, key)] = value;
  },
  (draws, container, key) => {
    const other = draws.pick(Object.keys(container));
    [container[key], container[other]] = [container[other], container[key]];
  },
];

const STRANGE: readonly unknown[] = [
  null, true, false, 0, -1, 1, 0.5, 1e308, 2 ** 53, 2 ** 31, '', 'x', '1', '\u0000', '🙂', [], {}, [[]], { x: 1 }, [1, 2],
]; // biome-ignore format: a list of oddities

function misspelt(draws: Stream, text: string): string {
  const at = draws.integer(text.length + 1);
  const letter = draws.pick([...'abcxyz0189_-. "é']);
  const rest = text.slice(at + draws.integer(2));
  return draws.chance(0.5) ? text.slice(0, at) + letter + rest : text.slice(0, at) + rest;
}
