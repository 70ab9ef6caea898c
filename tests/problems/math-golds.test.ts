import { expect, it } from 'vitest';
import { accepted, gradeReply } from '../../src/problems/answers/grade.ts';

/** @file Answers as the MATH data set writes them, of every kind, in solutions as it writes them. */

const GOLDS =
  String.raw`\left( 3, \frac{\pi}{2} \right)|p - q|\frac{14}{3}|\text{Evelyn}|90^\circ|3\sqrt{13}|2220|\frac{3}{56}|\sqrt{51}|6 - 5i|-50|\pi|6+9i|13535|x=5|1,-2|-2 + 7i|52_8|11\sqrt2|\frac{243}{625}|3, 5, 7|(-\infty, 2) \cup (3, \infty)|x^3+3x-6|\begin{pmatrix} -1/3 \\ 2/3 \\ 5/3 \end{pmatrix}|70 \sqrt{2}|(6,31,-1)|\left(\frac{3}{5},\frac{8}{3}\right]|\text{ellipse}|\text{(C)}|\text{odd}|\$32,\!348|1 \pm \sqrt{19}|2k|4,6,14,15|[-2,7]|10,\!080|6r^2-4r-24|5r^5|2516_8|15\mbox{ cm}^2|\dfrac{9}{7}|f(2) < f(1) < f(4)|2-2p|12\text{ and }13|\frac{\pi r}{h+r}|\{1\pm\sqrt{5},-2\}|3R^2|\text{B}|(0,9) \cup (9,36)|x \in [-2,7]|13 \text{ cm}|(15,-29)|1.25|\$18.90|11:00 \text{ a.m.}|\text{June 20}|3:4|187.5|8\%|\frac{1}{2}, -1|-\frac{35}{9}|-4, -1, 3|\pm 2\sqrt{2}|(3,4,5)|y=x^2+1|1,2,3,4,6,12|10^{-3}|2^{10}|\arctan 2|y = \frac{1}{2}x + 3|\frac{x+2}{7}|a^2 + 2ab + b^2|\text{no solution}|\emptyset|\text{June, July, September}|\frac{\sqrt{3}}{2} + \frac{1}{2}i|e^{i \pi/3}|\cos x|\tan^2 y + 1|2 \sin b \cos a|\frac{1}{x^2+1}|(x-5)(x+5)|x^2-25|(x+y+z)(x-y)|7(x+3)(x-3)|4x^2(x-1)|\log_2 10|\frac{\log 7}{\log 2}|n = 12|m\angle A = 40^\circ|120^{\circ}|\frac{2\pi}{3} \text{ radians}|0.\overline{45}|.25|17\frac12|5\frac{1}{3}|1 \frac{4}{5}|\frac{270}7\text{ degrees}|60\text{ miles}|3 \text{ square units}|\text{Tuesday}|\text{A and C}|\text{(A), (B)}|\text{Navin}|(2,-3)|(-1, 2, 0)|\left( -\frac{1}{2}, \frac{3}{4} \right)|\begin{pmatrix} 0 & 1 \\ -1 & 0 \end{pmatrix}|\begin{bmatrix} 2 \\ 3 \end{bmatrix}|\langle 1, 2, 3 \rangle|[0,1) \cup (1, \infty)|(-\infty, -1] \cup [1, \infty)|x < -3 \text{ or } x > 3|-3 < x < 3|k \ge 5|a \neq 0|x \le -2|\left[ \frac{1}{3}, 1 \right]|(2,\infty)|\{2, 3, 5\}|\left\{ -1, \frac{3}{2} \right\}|2, -3, \frac{1}{2}|\frac{3 \pm \sqrt{5}}{2}|\frac{-1 + \sqrt{3} i}{2}|-1 \pm i|3 + 4i, 3 - 4i|5x - 7y + 11z + 4 = 0|2x + 3y = 7|x^2 + y^2 = 25|\frac{x^2}{9} + \frac{y^2}{4} = 1|y^2 = 4x|r = 2 \cos \theta|11001_2|3A5_{12}|\text{ABC}_{16}|4!|\binom{10}{3}|\frac{10!}{3!7!}|99999|1,\!000,\!000|123{,}456|12,345|0|-1|+4|\infty|i|\sqrt{2}+\sqrt{3}|\sqrt[3]{4}|\frac{\sqrt[4]{8}}{2}|2\sqrt[3]{2}|8\pi - 16|36\pi|\frac{25\pi}{4}\text{ cm}^2|\frac{1}{6}(5+\sqrt{7})|\frac{1+\sqrt5}2|(3 + \sqrt{5}) / 2|\$4.50|\$1{,}200|50|50\%|150\%|12.5\%|\frac{1}{8}|1:2:\sqrt{3}|\text{All real numbers}|\mathbb{R}|\text{undefined}|x|2x|-x^2|xy|abc|\alpha|\frac{\alpha}{2}|\overline{AB}|\triangle ABC|A|E|\mathbf{i} + 2\mathbf{j}|D = (3,1)|(p,q) = (2,3)|a = 1, b = 2|f(x) = 2x - 1|f^{-1}(x) = \frac{x+1}{2}|P(x) = x^2 + 1|3^{n-1}|n(n+1)/2|\frac{n(n+1)}{2}|(-1)^n|\lfloor x \rfloor|\frac{9}{10}|7 \cdot 11 \cdot 13|2^3 \cdot 3^2|2^{12} \times 3|6.02 \times 10^{23}|-0.001|1/2|3/4|\frac ab|\frac{a}{b}`.split(
    '|',
  );

const SOLUTIONS: readonly ((answer: string) => string)[] = [
  (answer) => `Work through it.\n\nTherefore, the answer is $\\boxed{${answer}}$.`,
  (answer) => `We get\n\\[x = 3 + 4 = \\boxed{${answer}}.\\]`,
  (answer) => `Hence, $\\boxed{${answer}}$ is our answer. Note that the answer is at least as large as 3 of the other answers.`,
  (answer) => `\\begin{align*}\n2x &= 10 \\\\\n&= \\boxed{${answer}}.\n\\end{align*}`,
  (answer) => `So the final answer is $${answer}$.`,
  (answer) => `Step 1: think.\nAnswer: ${answer}`,
  (answer) => `**Final Answer:** \\(${answer}\\)`,
  (answer) => `The answer is therefore\n\\[\n\\boxed{\n${answer}\n}\n\\]`,
]; // biome-ignore format: a solution a line

it(`${GOLDS.length} answers are read as right in ${SOLUTIONS.length} kinds of solution`, () => {
  const lost = GOLDS.flatMap((answer) => {
    const right = accepted([answer]);
    return SOLUTIONS.map((write) => write(answer)).filter((solution) => !gradeReply(solution, right).right);
  });
  expect(lost).toEqual([]);
});

it('no answer is taken for another one', () => {
  const same = GOLDS.flatMap((answer, at) => {
    const right = accepted([answer]);
    const others = GOLDS.filter((_, other) => other !== at && (at * 31 + other) % 23 === 0);
    return others.filter((other) => gradeReply(`The answer is $\\boxed{${other}}$.`, right).right).map((other) => [answer, other]);
  });
  expect(same).toEqual([]);
}); // biome-ignore format: one thought a line
