import type { Stream } from '../../../src/random.ts';

/** Two answers, and whether they are the same by the way in which they were made. */
export type AnswerPair = {
  readonly kind: string;
  readonly gold: string;
  readonly said: string;
  readonly same: boolean;
};

type Made = { readonly gold: string; readonly same: readonly string[]; readonly other: readonly string[] };

const from = (draws: Stream, low: number, high: number): number => low + draws.integer(high - low + 1);
const frac = (over: number | string, under: number | string): string => `\\frac{${over}}{${under}}`;
const term = (factor: number, of: string): string => (factor === 1 ? of : factor === -1 ? `-${of}` : `${factor}${of}`);
const signed = (number: number): string => (number < 0 ? `- ${-number}` : `+ ${number}`);
const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/** By kind, an answer with other spellings of it and with other answers that look like it. */
const KINDS: Readonly<Record<string, (draws: Stream) => Made>> = {
  integer: (draws) => {
    const n = from(draws, 2, 999);
    return { gold: `${n}`, same: [`${n}.0`, `+${n}`, `x = ${n}`, `\\text{${n}}`, `${n * 2}/2`], other: [`${n + 1}`, `-${n}`, `${n}0`, `${n}.5`] };
  },
  thousands: (draws) => {
    const [a, b] = [from(draws, 1, 99), from(draws, 100, 999)];
    return { gold: `${a}${b}`, same: [`${a},${b}`, `${a},\\!${b}`, `${a}{,}${b}`, `${a},${b}.00`, `\\$${a},${b}`], other: [`${a}${b + 1}`, `${a}.${b}`, `${a},${b}0`.slice(0, -1).replace(',', '.')] };
  },
  decimal: (draws) => {
    const n = from(draws, 1, 99);
    const two = String(n).padStart(2, '0');
    return { gold: `0.${two}`, same: [`.${two}`, `0.${two}0`, frac(n, 100), `${n}/100`, `${n} \\cdot 10^{-2}`], other: [`${n}`, `0.0${two}`, `1.${two}`, `-0.${two}`] };
  },
  fraction: (draws) => {
    const [a, b] = [from(draws, 1, 9), from(draws, 2, 9)];
    const k = from(draws, 2, 5);
    return { gold: frac(a, b), same: [`\\frac${a}${b}`, `\\dfrac{${a}}{${b}}`, `${a}/${b}`, frac(a * k, b * k), `\\tfrac${a}${b}`, `-${frac(-a, b)}`], other: [frac(a + 1, b), frac(a, b + 1), `-${frac(a, b)}`, ...(a === b ? [] : [frac(b, a)])] };
  },
  mixed: (draws) => {
    const [w, b] = [from(draws, 1, 9), from(draws, 3, 9)];
    const a = from(draws, 1, b - 1);
    return { gold: frac(w * b + a, b), same: [`${w}${frac(a, b)}`, `${w} ${frac(a, b)}`, `${w} + ${frac(a, b)}`], other: [`${w + 1}${frac(a, b)}`, `${w} - ${frac(a, b)}`] };
  },
  percent: (draws) => {
    const n = from(draws, 1, 99);
    return { gold: `${n}\\%`, same: [`${n}%`, `${n}`, frac(n, 100), `${n} \\text{ percent}`], other: [`${n + 1}\\%`, `${n}0\\%`] };
  },
  root: (draws) => {
    const [k, r] = [from(draws, 2, 9), draws.pick([2, 3, 5, 6, 7])];
    return { gold: `${k}\\sqrt{${r}}`, same: [`\\sqrt{${k * k * r}}`, `${k}\\sqrt ${r}`, `\\sqrt{${r}} \\cdot ${k}`, frac(k * r, `\\sqrt{${r}}`)], other: [`${k + 1}\\sqrt{${r}}`, `${k}\\sqrt{${r + 4}}`, `${k * r}`, (k * Math.sqrt(r)).toFixed(2)] };
  },
  cubeRoot: (draws) => {
    const [k, r] = [from(draws, 2, 4), draws.pick([2, 3, 5])];
    return { gold: `${k}\\sqrt[3]{${r}}`, same: [`\\sqrt[3]{${k ** 3 * r}}`, `${k} \\cdot ${r}^{1/3}`], other: [`${k}\\sqrt{${r}}`, `\\sqrt[3]{${k * r}}`] };
  },
  pi: (draws) => {
    const [a, b] = [from(draws, 1, 9), from(draws, 2, 7)];
    return { gold: frac(`${a}\\pi`, b), same: [`${frac(a, b)}\\pi`, `${a}\\pi/${b}`, `\\pi \\cdot ${frac(a, b)}`], other: [frac(a, `${b}\\pi`), `${a}\\pi`, frac(a, b)] };
  },
  polynomial: (draws) => {
    const [a, b] = [from(draws, 1, 9), from(draws, -9, -1)];
    return { gold: `(x ${signed(a)})(x ${signed(b)})`, same: [`x^2 ${signed(a + b)}x ${signed(a * b)}`, `${a * b} ${signed(a + b)}x + x^2`, `(x ${signed(b)})(x ${signed(a)})`], other: [`x^2 ${signed(a + b + 1)}x ${signed(a * b)}`, `(x ${signed(-a)})(x ${signed(b)})`] };
  },
  severalVariables: (draws) => {
    const [a, b] = [from(draws, 2, 9), from(draws, 2, 9)];
    return { gold: `${a}x^2y - ${b}ab`, same: [`-${b}ab + ${a}x^2y`, `${a}yx^2 - ${b}ba`], other: [`${a}xy^2 - ${b}ab`, `${a}x^2y + ${b}ab`] };
  },
  quotient: (draws) => {
    const a = from(draws, 1, 9);
    return { gold: frac(`x + ${a}`, `x - ${a}`), same: [`1 + ${frac(2 * a, `x - ${a}`)}`, `(x + ${a})/(x - ${a})`], other: [frac(`x - ${a}`, `x + ${a}`), frac(`x + ${a}`, `x - ${a + 1}`)] };
  },
  complex: (draws) => {
    const [a, b] = [from(draws, 1, 9), from(draws, 2, 9)];
    return { gold: `${a} - ${b}i`, same: [`-${b}i + ${a}`, `${a}-${b}i`], other: [`${a} + ${b}i`, `${b} - ${a + b}i`, `-${a} - ${b}i`] };
  },
  tuple: (draws) => {
    const [a, b] = [from(draws, 1, 9), draws.pick([11, 13, 15, 17, 19])];
    return { gold: `(${a}, ${frac(b, 2)})`, same: [`\\left(${a},${frac(b, 2)}\\right)`, `(${a}, ${b / 2})`, `(x, y) = (${a}, ${frac(b, 2)})`], other: [`(${frac(b, 2)}, ${a})`, `(${a}, ${frac(b + 1, 2)})`, `(${a}, ${frac(b, 2)}, 0)`] };
  },
  set: (draws) => {
    const a = from(draws, 1, 9);
    return { gold: `\\{${a}, ${a + 1}, ${a + 3}\\}`, same: [`\\{${a + 3}, ${a}, ${a + 1}\\}`, `\\left\\{${a},${a + 1},${a + 3}\\right\\}`, `${a}, ${a + 1}, ${a + 3}`], other: [`\\{${a}, ${a + 1}\\}`, `\\{${a}, ${a + 1}, ${a + 4}\\}`] };
  },
  list: (draws) => {
    const [a, b] = [from(draws, 1, 9), from(draws, 11, 19)];
    return { gold: `${a}, ${b}`, same: [`${b}, ${a}`, `x = ${a} \\text{ or } x = ${b}`, `${a} \\text{ and } ${b}`], other: [`${a}, ${b + 1}`, `${a}, ${a}, ${b + 1}`] };
  },
  plusMinus: (draws) => {
    const [a, r] = [from(draws, 1, 9), draws.pick([2, 3, 5, 7])];
    return { gold: `${a} \\pm \\sqrt{${r}}`, same: [`${a} + \\sqrt{${r}}, ${a} - \\sqrt{${r}}`, `${a}-\\sqrt{${r}}, ${a}+\\sqrt{${r}}`], other: [`${a + 1} \\pm \\sqrt{${r}}`, `${a} \\pm \\sqrt{${r + 4}}`] };
  },
  interval: (draws) => {
    const [a, b] = [from(draws, -9, 0), from(draws, 1, 9)];
    return { gold: `[${a}, ${b})`, same: [`\\left[${a},${b}\\right)`, `x \\in [${a}, ${b})`, `[${a}, ${frac(2 * b, 2)})`], other: [`[${a}, ${b}]`, `(${a}, ${b})`, `(${a}, ${b}]`, `[${a}, ${b + 1})`] };
  },
  inequality: (draws) => {
    const [a, b] = [from(draws, -9, 0), from(draws, 1, 9)];
    return { gold: `${a} < x \\leq ${b}`, same: [`${a}<x\\le ${b}`, `${b} \\geq x > ${a}`], other: [`${a} \\leq x \\leq ${b}`, `${a} < x \\leq ${b + 1}`] };
  },
  union: (draws) => {
    const [a, b] = [from(draws, -9, 0), from(draws, 1, 9)];
    return { gold: `(-\\infty, ${a}) \\cup [${b}, \\infty)`, same: [`[${b},\\infty) \\cup (-\\infty,${a})`, `(-\\infty,${a})\\cup[${b},\\infty)`], other: [`(-\\infty, ${a}] \\cup [${b}, \\infty)`, `(-\\infty, ${a})`, `(-\\infty, ${a}) \\cup [${b + 1}, \\infty)`] };
  },
  matrix: (draws) => {
    const [a, b, c, d] = [1, 2, 3, 4].map(() => from(draws, -9, 9)) as [number, number, number, number];
    const matrix = (of: string, ...cells: readonly (number | string)[]) => `\\begin{${of}} ${cells[0]} & ${cells[1]} \\\\ ${cells[2]} & ${cells[3]} \\end{${of}}`;
    return { gold: matrix('pmatrix', a, b, c, d), same: [matrix('bmatrix', a, b, c, d), matrix('pmatrix', frac(2 * a, 2), b, c, d)], other: [matrix('pmatrix', a + 1, b, c, d), ...(a === b && c === d ? [] : [matrix('pmatrix', b, a, d, c)])] };
  },
  vector: (draws) => {
    const [a, b, c] = [from(draws, 1, 9), from(draws, -9, -1), from(draws, 2, 9)];
    const vector = (...cells: readonly (number | string)[]) => `\\begin{pmatrix} ${cells.join(' \\\\ ')} \\end{pmatrix}`;
    return { gold: vector(a, frac(b, c)), same: [vector(a, `${b}/${c}`), vector(a, `-${frac(-b, c)}`)], other: [vector(frac(b, c), a), vector(a, frac(b, c + 1))] };
  },
  degrees: (draws) => {
    const n = from(draws, 1, 179);
    return { gold: `${n}^\\circ`, same: [`${n}^{\\circ}`, `${n}`, `${n} \\text{ degrees}`], other: [`${n + 1}^\\circ`, `-${n}^\\circ`] };
  },
  line: (draws) => {
    const [a, b] = [from(draws, 2, 9), from(draws, 1, 9)];
    return { gold: `y = ${a}x + ${b}`, same: [`y = ${b} + ${a}x`, `y=${a}x+${b}`], other: [`y = ${a}x - ${b}`, `y = ${a + 1}x + ${b}`] };
  },
  equation: (draws) => {
    const [a, b, c] = [from(draws, 2, 9), from(draws, 2, 9), from(draws, 1, 9)];
    return { gold: `${a}x - ${b}y + ${c} = 0`, same: [`${-a}x + ${b}y - ${c} = 0`, `${c} + ${a}x - ${b}y = 0`], other: [`${a}x + ${b}y + ${c} = 0`, `${a}x - ${b}y + ${c + 1} = 0`] };
  },
  power: (draws) => {
    const [a, b] = [from(draws, 2, 9), from(draws, 2, 5)];
    return { gold: `${a ** b}`, same: [`${a}^${b}`, `${a}^{${b}}`], other: [`${a}^{${b + 1}}`, `${a * b === a ** b ? a + b + 1 : a * b}`] };
  },
  large: (draws) => {
    const n = BigInt(from(draws, 1, 999_999)) + 2n ** 53n;
    return { gold: `${n}`, same: [`${n}.0`, `${String(n).replace(/\B(?=(?:\d{3})+$)/g, ',')}`], other: [`${n + 1n}`, `${n - 1n}`] };
  },
  logarithm: (draws) => {
    const [a, b] = [from(draws, 2, 9), from(draws, 2, 5)];
    return { gold: `${b}`, same: [`\\log_${a} ${a ** b}`, `\\log_{${a}} {${a ** b}}`], other: [`\\log_${a} ${a ** (b + 1)}`] };
  },
  trigonometry: (draws) => {
    const k = from(draws, 2, 9);
    return { gold: `${k} \\sin x \\cos x`, same: [`${frac(k, 2)} \\sin(2x)`, `${k}\\cos x \\sin x`], other: [`${k} \\sin(2x)`, `${k} \\sin x`] };
  },
  scientific: (draws) => {
    const [a, b] = [from(draws, 11, 99), from(draws, 3, 6)];
    return { gold: `${a * 10 ** b}`, same: [`${a / 10} \\times 10^{${b + 1}}`, `${a} \\cdot 10^${b}`], other: [`${a} \\times 10^{${b + 1}}`] };
  },
  unit: (draws) => {
    const n = from(draws, 2, 99);
    return { gold: `${n}`, same: [`${n} \\text{ cm}`, `${n}\\text{ square units}`, `${n}\\mbox{ cm}^2`], other: [`${n + 1} \\text{ cm}`] };
  },
  factors: (draws) => {
    const [a, b] = [from(draws, 2, 9), from(draws, 2, 9)];
    const d = divisor(a, b);
    return { gold: `${term(a, 'x')} + ${b}`, same: d > 1 ? [`${d}(${term(a / d, 'x')} + ${b / d})`] : [`${b} + ${term(a, 'x')}`], other: [`${a}(x + ${b + 1})`] };
  },
}; // biome-ignore format: a kind a line

/** `rounds` answers of every kind, each with one spelling that is the same and one that is not. */
export function answerPairs(draws: Stream, rounds: number): AnswerPair[] {
  return Object.entries(KINDS).flatMap(([kind, make]) =>
    Array.from({ length: rounds }, () => make(draws)).flatMap(({ gold, same, other }): AnswerPair[] => [
      { kind, gold, said: draws.pick(same), same: true },
      { kind, gold, said: draws.pick(other), same: false },
    ]),
  );
}
