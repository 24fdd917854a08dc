// Judges the part of a playbook's audience that the browser can see, and who is in its share of the traffic.
// Three-valued: undefined is "unknown", which is not "no". The trees are described in docs/protocol.md.

/** @type {Record<string, (...values: any[]) => Value>} */
const OPERATORS = {
  list: (...all) => all,
  not: (a) => !truth(a),
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "+": (a, b) => a + b,
  in: (a, b) => (b.includes ? b.includes(a) : a in b),
  starts: (a, b) => a.startsWith(b),
  ends: (a, b) => a.endsWith(b),
  lower: (a) => a.toLowerCase(),
  glob: (a, ...patterns) => patterns.some((it) => RegExp(`^${it.replace(/[^*\w]/g, "\\$&").replace(/\*/g, ".*")}$`, "is").test(a)),
};

/**
 * @param {Tree} tree @param {any} values what is known, by namespace
 * @returns {any} the tree's value; undefined when it is unknown
 */
export function judge(tree, values) {
  if (!Array.isArray(tree)) return tree;
  const [operator, ...rest] = /** @type {any[]} */ (tree);
  if (operator === "get") return rest.reduce((value, key) => value?.[key], values);
  const all = rest.map((branch) => judge(branch, values));
  const stop = operator === "or";
  if (stop || operator === "and") {
    const answers = all.map(truth);
    return answers.includes(stop) ? stop : answers.includes(undefined) ? undefined : !stop;
  }
  try {
    if (/^[<>+]/.test(operator) && typeof all[0] !== typeof all[1]) return undefined;
    return all.includes(undefined) ? undefined : OPERATORS[operator](...all);
  } catch {
    return undefined; // an operator only the server has, or a number asked for its beginning: the server says unknown too
  }
}

/** @param {any} value @returns {boolean | undefined} yes, no or unknown */
export function truth(value) {
  return value === undefined ? value : !!(value?.length ?? value);
}

/** @param {string} seed the visitor's own random text @param {string} name @param {number} [percent] */
export function inTraffic(seed, name, percent = 100) {
  let hash = 0x811c9dc5; // FNV-1a, 32 bits
  for (const letter of seed + ":" + name) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  return (hash >>> 0) % 100 < percent;
}
