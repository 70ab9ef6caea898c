import { coverage, falsePositives, type Study, shareOfStudies } from '../tests/stats/studies.ts';

/**
 * @file How often intervals hold the truth and tests find what is not there, in simulated studies with the resamples that
 * a report has. The figures stand in docs/statistics.md.
 *
 *   tsx bench/coverage.ts [studies, 2000] [resamples, 2000]
 */

const [studies = 2000, resamples = 2000] = process.argv.slice(2).map(Number);

function line({ name, study }: { readonly name: string; readonly study: Study }): string {
  const share = shareOfStudies(name, studies, study, { resamples });
  const error = Math.sqrt((share * (1 - share)) / studies);
  return `| ${name} | ${(share * 100).toFixed(1)} % | ${(error * 100).toFixed(1)} |`;
}

const head = (what: string) => `\n| ${what}, ${studies} studies | share | standard error |\n|---|---|---|`;
console.log(head('the nominal 95 % interval holds the truth'));
for (const one of coverage) console.log(line(one));
console.log(head('nothing changed, and p <= .05'));
for (const one of falsePositives) console.log(line(one));
