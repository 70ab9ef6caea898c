/**
 * The condition of a probe row, written `key=value,key=value` (`kind=misconception,dose=4`). Keys are lower case.
 * Keys in use: `kind` (slip, misconception, own, right) and `what` of it (sum, value); `dose` (steps of that kind in the
 * history), `copies` (times a step was written), `demos` (demonstrations shown); `temperature`, `quantile`; `mode` where
 * it is history and not prefill (`probes/mode.ts`); and in
 * transcripts `said` (own, user) and `answer` (right, wrong, waved_through).
 */
export const conditionPattern = /^[a-z_]+=[^,=]+(,[a-z_]+=[^,=]+)*$/;

/** The parts of a condition, in the order written; empty for no condition. */
export function parseCondition(condition: string | undefined): ReadonlyMap<string, string> {
  const parts = condition ? condition.split(',') : [];
  return new Map(parts.map((part) => part.split('=', 2) as [string, string])); // the pattern promises one `=` each
}

/** `kind=slip,dose=2`; undefined when there are no parts. */
export function formatCondition(parts: Iterable<readonly [string, string | number]>): string | undefined {
  const text = Array.from(parts, ([key, value]) => `${key}=${value}`).join(',');
  return text === '' ? undefined : text;
}

/** One name per metric and condition, whatever the order of the condition's parts. */
export function rowKey(row: { readonly metric: string; readonly condition?: string | undefined }): string {
  const parts = [...parseCondition(row.condition)].sort(([a], [b]) => (a < b ? -1 : 1));
  return [row.metric, formatCondition(parts)].filter(Boolean).join(' ');
}
