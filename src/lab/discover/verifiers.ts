import { type Stream, stream } from '../../random.ts';
import { normal } from '../market/series.ts';
import { type Formula, functionOf, LAW, LAW_FUNCTION, valueAt } from './formula.ts';

/** How well a formula fares, in [0, 1]; it does not know the law. */
export type Verifier = { readonly name: string; score(formula: Formula): number };

const POINTS = 64;

/** Noisy measurements of added speeds up to `fastest` of light, both signs. The score falls with the logarithm of the error. */
export function measurements(fastest: number, noise: number, seed: number, law: Formula = LAW): Verifier {
  const draws = stream(seed, 'measurements');
  const speed = (own: Stream) => fastest * (2 * own.uniform() - 1);
  const points = Array.from({ length: POINTS }, () => {
    const [u, v] = [speed(draws), speed(draws)];
    return { u, v, w: valueAt(law, u, v) * (1 + noise * normal(draws)) };
  });
  const error = (formula: Formula) =>
    Math.sqrt(points.reduce((sum, { u, v, w }) => sum + (valueAt(formula, u, v) - w) ** 2, 0) / POINTS);
  const floor = Math.max(1e-4, error(law));
  return {
    name: 'measurements',
    score(formula) {
      const own = error(formula);
      if (!Number.isFinite(own)) return 0;
      return Math.max(0, Math.min(1, 1 - Math.log(Math.max(own, floor) / floor) / Math.log(10 / floor)));
    },
  };
}

/** No relativistic datum: light is as fast for everyone, low speeds add up, the order does not matter, going back undoes it. */
export const postulates: Verifier = {
  name: 'postulates',
  score(formula) {
    const places = [0.2, 0.5, 0.8];
    const close = (a: number, b: number, by: number) => Number(Math.abs(a - b) <= by);
    const parts = [
      ...places.map((u) => close(valueAt(formula, u, 1), 1, 1e-9)),
      close(valueAt(formula, 1e-4, 2e-4), 3e-4, 1e-8),
      ...places.map((u) => close(valueAt(formula, u, 0.3), valueAt(formula, 0.3, u), 1e-9)),
      ...places.map((u) => close(valueAt(formula, u, -u), 0, 1e-9)),
    ];
    return parts.reduce((sum, part) => sum + part, 0) / parts.length;
  },
};

/** Whether a formula is the law, in any spelling. For counting hits alone: no method is told. */
export const isLaw = (formula: Formula): boolean => functionOf(formula) === LAW_FUNCTION;
