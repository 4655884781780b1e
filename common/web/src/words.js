// SPDX-License-Identifier: Apache-2.0
// Figures as the tables of the page write them.

// As C's printf rounds: a tie goes to the even digit.
function fixed(x, digits) {
    const tie = x.toFixed(20).slice(digits - 20).match(/^50*$/);
    const up = x.toFixed(digits);
    if (!tie || Number(up.at(-1)) % 2 === 0) return up;
    return (x - Math.sign(x) * 10 ** -(digits + 1)).toFixed(digits);
}

export const number = (x) =>
    x == null ? "\u2013" : fixed(x, 3).replace(/^-(0\.000)$/, "$1");
export const interval = (pair) => (pair ? `${number(pair[0])} to ${number(pair[1])}` : "\u2013");
export const count = (n) => String(n ?? 0).replace(/\B(?=(\d{3})+$)/g, ",");
export const percent = (share) => `${fixed(100 * share, 1)} %`;
export const lines = (...parts) => parts.filter(Boolean).join("\n");
export const short = (text, room) =>
    text.length > room ? `${text.slice(0, room - 1)}\u2026` : text;

// A report of scores has means where others have rates, and no events to count.
let scores = false;
export const useScores = (measure) => (scores = measure === "score");
export const ofScores = () => scores;

// "n 2,592, k 1,949" of an estimate, both sides of a difference.
export function trials(e) {
    const side = (n, k) => (scores ? `n ${count(n)}` : `n ${count(n)}, k ${count(k)}`);
    const own = side(e.n, e.k);
    return e.reference_n
        ? `${own} against ${side(e.reference_n, e.reference_k)}`
        : own;
}

// "0.751 (0.737 to 0.766)" and what it rests on.
export const estimate = (e) => lines(`${number(e.mean)} (${interval(e.this_bench)})`, trials(e));
