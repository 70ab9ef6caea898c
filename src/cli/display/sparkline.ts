const BARS = '▁▂▃▄▅▆▇█';

/** The last `width` values as bars between their own lowest and highest. */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-width);
  const low = Math.min(...shown);
  const span = Math.max(...shown) - low || 1;
  return shown.map((value) => BARS[Math.round(((value - low) / span) * (BARS.length - 1))]).join('');
}
