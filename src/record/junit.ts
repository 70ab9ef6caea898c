import { writeWhole } from '../disk/write.ts';

/** One thing that can go wrong, for whoever reads JUnit files. */
export type TestCase = {
  readonly name: string;
  readonly group: string;
  /** What did go wrong. */
  readonly failure?: string | undefined;
  /** Why it was not tried. */
  readonly skipped?: string;
  /** What is to be known of it besides. */
  readonly said?: string;
};

/**
 * Writes a JUnit file as continuous integration servers read it. There is no standard; this is the part on which Jenkins,
 * GitLab and GitHub's actions agree (https://github.com/testmoapp/junitxml).
 */
export async function writeJunit(path: string, suite: string, cases: readonly TestCase[], seconds = 0): Promise<void> {
  await writeWhole(path, junitXml(suite, cases, seconds));
}

export function junitXml(suite: string, cases: readonly TestCase[], seconds: number): string {
  const count = (what: 'failure' | 'skipped') => cases.filter((one) => one[what] !== undefined).length;
  const totals = `tests="${cases.length}" failures="${count('failure')}" errors="0" skipped="${count('skipped')}" time="${seconds.toFixed(3)}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="unrut" ${totals}>
<testsuite name="${escapeXml(suite)}" ${totals}>
${cases.map(testCase).join('')}</testsuite>
</testsuites>
`;
}

function testCase({ name, group, failure, skipped, said }: TestCase): string {
  const start = `<testcase name="${escapeXml(name)}" classname="${escapeXml(group)}" time="0"`;
  const parts = [
    failure === undefined ? '' : `<failure message="${escapeXml(failure)}">${escapeXml(failure)}</failure>`,
    skipped === undefined ? '' : `<skipped message="${escapeXml(skipped)}"/>`,
    said === undefined ? '' : `<system-out>${escapeXml(said)}</system-out>`,
  ].join('');
  return parts === '' ? `${start}/>\n` : `${start}>${parts}</testcase>\n`;
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\t': '&#9;',
};

/** What XML 1.0 cannot hold in any form (control characters, lone surrogates) is replaced by a sign for it. */
function escapeXml(text: string): string {
  const legal = text.replace(/[^\t\n\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
  return legal.replace(/[&<>"\n\t]/g, (character) => escapes[character]!); // the table has them all
}
