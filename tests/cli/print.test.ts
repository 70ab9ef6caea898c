import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { harmless } from '../../src/cli/print.ts';
import { excerpt } from '../../src/engine/http/failure.ts';
import { EndpointError, InputError } from '../../src/errors.ts';
import { eventLine } from '../../src/report/event-line.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import { visible, visibleData, visibleLine } from '../../src/visible.ts';
import { fixtureResults as results } from '../report/fixture-results.ts';

/** Clears the screen, renames the window, recolours, rings, moves up, as a C1 control, and turns the text around. */
const WITHOUT_COLOUR = '\u001b[2J\u001b]0;owned\u0007\u001b[1A\u009b2J\u202e\r\u0008\u007f';
const EVIL = `\u001b[31m${WITHOUT_COLOUR}`;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not come through
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

describe('what comes from elsewhere', () => {
  it('has its control characters shown as signs', () => {
    expect(visible('a\u001b[31mb\tc\r\nd\u007f\u009b')).toBe('a␛[31mb\tc\nd␡\ufffd');
    expect(visibleLine('one\n  two\r\nthree')).toBe('one two three');
    expect(visibleData({ a: [EVIL, 1, null], b: { [EVIL]: undefined } })).not.toBe(EVIL);
    expect(JSON.stringify(Object.keys(visibleData({ [EVIL]: 1 })))).not.toMatch(CONTROL);
  });

  it('cannot get into an error, an event, a table or a sentence of a server', () => {
    const told = [
      new InputError(EVIL).message,
      new EndpointError(excerpt(JSON.stringify({ error: { message: EVIL } }))).message,
      eventLine({ kind: 'note', time: '', text: EVIL }),
      eventLine({ kind: 'stage-skipped', time: '', stage: EVIL, why: EVIL }),
      excerpt(EVIL),
    ];
    for (const text of told) expect(text).not.toMatch(CONTROL);
    const skipped = [{ behaviour: 'loops' as const, why: EVIL }];
    const table = renderTerminal({ ...results, skipped, run: { ...results.run, name: EVIL } }, { colors: false });
    expect(table).toContain('not measured: Loops');
    expect(table).not.toMatch(CONTROL);
  });

  it('is caught at the terminal where it was not before; our own colours come through', () => {
    expect(harmless(`\u001b[32mheld\u001b[39m ${WITHOUT_COLOUR}`)).toBe(
      `\u001b[32mheld\u001b[39m ${visible(WITHOUT_COLOUR)}`,
    );
  });
});

it('has one way to the terminal', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const writers = files.filter((name) => /std(out|err)\.write|console\./.test(readFileSync(join('src', name), 'utf8')));
  expect(writers.sort()).toEqual(['cli/print.ts', 'engine/local/runtime/runtime.ts', 'view/app.ts']);
});
