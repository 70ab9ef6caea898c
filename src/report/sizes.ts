/** "400", or "222 to 400" where rows differ; empty for no rows. */
export function sizes(estimates: readonly { readonly n: number }[]): string {
  if (estimates.length === 0) return '';
  const counts = estimates.map(({ n }) => n);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? `${least}` : `${least} to ${most}`;
}
