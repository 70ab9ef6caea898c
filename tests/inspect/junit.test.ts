import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import { junitXml } from '../../src/record/junit.ts';
import { comparisonCases, gateCases, probeCases } from '../../src/report/test-cases.ts';
import { fixtureResults } from '../report/fixture-results.ts';

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  isArray: (name) => name === 'testcase',
});

function parsed(xml: string) {
  expect(XMLValidator.validate(xml)).toBe(true);
  return parser.parse(xml).testsuites.testsuite;
}

describe('a JUnit file', () => {
  it('has a test per gate, failed where the gate was missed', () => {
    const { gates } = fixtureResults;
    const suite = parsed(junitXml('quickstart', gateCases(gates), 12.5));
    const missed = gates.filter(({ held }) => !held).length;
    expect(suite).toMatchObject({ tests: String(gates.length), failures: String(missed), time: '12.500' });
    expect(suite.testcase.filter((one: { failure?: unknown }) => one.failure)).toHaveLength(missed);
  });

  it('has a test per row of a comparison, failed where it got worse', () => {
    const rows = fixtureResults.probes.filter(({ change }) => change);
    const comparison = { names: ['a', 'b'], rows, worse: [rows[1]!], familyError: 0.05 } as const;
    const suite = parsed(junitXml('a → b', comparisonCases(comparison), 0));
    expect(suite.testcase.map((one: { failure?: unknown }) => Boolean(one.failure)).indexOf(true)).toBe(1);
    expect(suite.failures).toBe('1');
  });

  it('has a test per row of a probe, skipped with the reason where it was not measured', () => {
    const skipped = [{ behaviour: 'loops', metric: 'next_copy_probability', why: 'needs "logprobs"' }] as const;
    const { probes } = fixtureResults;
    const suite = parsed(junitXml('probe', probeCases({ ...fixtureResults, skipped }), 0));
    expect(suite).toMatchObject({ tests: String(probes.length + 1), failures: '0', skipped: '1' });
    expect(suite.testcase[0]['system-out']).toMatch(/^0\.940 \[.*\], n = 400$/);
    expect(suite.testcase.at(-1)).toMatchObject({ classname: 'loops', skipped: { message: 'needs "logprobs"' } });
  });

  it('escapes what XML cannot hold', () => {
    const name = '<&"\'>]]>\u0000\u001b[31m\ud800\n😀';
    const suite = parsed(junitXml(name, [{ name, group: name, failure: name }], 0));
    expect(suite.name).toContain('😀');
    expect(suite.testcase[0].failure['#text']).toMatch(/^<&"'>\]\]>/);
  });

  it('without cases is a valid file too', () => expect(parsed(junitXml('none', [], 0)).tests).toBe('0'));
});
