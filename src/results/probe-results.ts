import { ownDefinitions } from './metrics.ts';
import { pairReports } from './pair-reports.ts';
import type { ProbeReport, ProbeRow } from './probe-report.ts';
import { type Results, resultsSchemaName } from './results.ts';

/** The definitions of a user's own metrics, which the file has to carry along. */
export function carriedMetrics(rows: readonly ProbeRow[]): Pick<Results, 'metrics'> {
  const metrics = ownDefinitions(rows.map(({ metric }) => metric));
  return Object.keys(metrics).length > 0 ? { metrics } : {};
}

/** One model measured, nothing trained. */
export function probeResults(report: ProbeReport, seconds: number, run: Results['run']): Results {
  return {
    schema: resultsSchemaName,
    run: { ...run, problems: report.problems },
    ...carriedMetrics(report.rows),
    seconds: { total: seconds, stages: { probe: seconds } },
    ...pairReports(report),
    ...(report.skipped ? { skipped: report.skipped } : {}),
    gates: [],
  };
}
