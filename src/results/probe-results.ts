import { ownBehaviours, ownDefinitions } from './metrics.ts';
import { pairReports } from './pair-reports.ts';
import type { ProbeReport, ProbeRow } from './probe-report.ts';
import { type Results, resultsSchemaName } from './results.ts';

/** The definitions of a user's own metrics and behaviours, which the file has to carry along. */
export function carriedDefinitions(rows: readonly ProbeRow[]): Pick<Results, 'metrics' | 'behaviours'> {
  const names = rows.map(({ metric }) => metric);
  const [metrics, behaviours] = [ownDefinitions(names), ownBehaviours(names)];
  return {
    ...(Object.keys(metrics).length > 0 && { metrics }),
    ...(Object.keys(behaviours).length > 0 && { behaviours }),
  };
}

/** One model measured, nothing trained. */
export function probeResults(report: ProbeReport, seconds: number, run: Results['run']): Results {
  return {
    schema: resultsSchemaName,
    run: { ...run, problems: report.problems },
    ...carriedDefinitions(report.rows),
    seconds: { total: seconds, stages: { probe: seconds } },
    ...pairReports(report),
    ...(report.skipped ? { skipped: report.skipped } : {}),
    gates: [],
  };
}
