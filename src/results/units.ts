/** Which way is good: `up` more is better, `down` less is better, `hold` it should stay where it was. */
export const directions = ['up', 'down', 'hold'] as const;

export type Direction = (typeof directions)[number];

/** `share` lies in [0, 1], `difference` (of two shares) in [-1, 1]; the other two are not bounded above. */
export const units = ['share', 'difference', 'nats/token', 'tokens'] as const;

export type Unit = (typeof units)[number];

/** The values a metric of this unit can take; undefined where there is no bound. */
export const unitRange: Readonly<Record<Unit, readonly [low: number, high: number] | undefined>> = {
  share: [0, 1],
  difference: [-1, 1],
  'nats/token': undefined,
  tokens: undefined,
};
