/** jstat ships no types; these are the parts in use. */
declare module 'jstat' {
  const jStat: {
    readonly normal: {
      cdf(x: number, mean: number, standardDeviation: number): number;
      inv(p: number, mean: number, standardDeviation: number): number;
    };
    readonly binomial: { cdf(successes: number, trials: number, p: number): number };
  };
  export default jStat;
}
