// Judges the part of a playbook's audience that the browser can see. Three-valued: undefined is "unknown", which is not "no".
// The trees are described in docs/protocol.md; tests/expressions/browser_cases.json holds browser and server to the same answers.

const MOST = 1e15; // beyond it numbers lose digits

/** @type {Record<string, (...values: any[]) => Value>} */
const OPERATORS = {
  list: (...all) => all,
  not: (a) => !truth(a),
  "==": equal,
  "!=": (a, b) => opposite(equal(a, b)),
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "+": (a, b) => a + b,
  in: contains,
  starts: (a, b) => a.startsWith(b),
  ends: (a, b) => a.endsWith(b),
  lower: (a) => a.toLowerCase(),
  glob: (a, ...patterns) => patterns.some((it) => RegExp(`^${it.replace(/[^*\w]/g, "\\$&").replace(/\*+/g, ".*")}$`, "is").test(a)),
};

/**
 * @param {Tree} tree @param {any} values what is known, by namespace
 * @returns {any} the tree's value; undefined when it is unknown
 */
export function judge(tree, values) {
  if (!Array.isArray(tree)) return tree ?? undefined;
  const [operator, ...rest] = /** @type {any[]} */ (tree);
  if (operator === "get") return rest.reduce(step, values);
  const all = rest.map((branch) => judge(branch, values));
  if (operator === "and" || operator === "or") return either(all.map(truth), operator === "or");
  if (operator !== "list" && all.includes(undefined)) return undefined;
  const [a, b] = all;
  if (/^[<>+]/.test(operator) && (kind(a) !== kind(b) || !/string|number/.test(kind(a)) || (operator === "+" && (a > MOST || b > MOST)))) return undefined;
  if (/^(starts|ends|lower|glob)$/.test(operator) && all.some((it) => typeof it !== "string")) return undefined;
  return OPERATORS[operator]?.(...all);
}

/** Is the visitor in a playbook's share? Each stays on their side. @param {string} seed @param {string} name @param {number} [percent] */
export function inTraffic(seed, name, percent = 100) {
  let hash = 0x811c9dc5; // FNV-1a, 32 bits
  for (const letter of seed + ":" + name) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  return (hash >>> 0) % 100 < percent;
}

/** @param {any} value @returns {boolean | undefined} yes, no or unknown */
export function truth(value) {
  return kind(value) === "object" ? Object.keys(value).length > 0 : value === undefined ? value : !!value;
}

/** @param {any} value @param {string | number} key @returns {any} */
function step(value, key) {
  const found = kind(value) === "object" && Object.hasOwn(value, key) ? value[key] : undefined;
  return kind(found) ? found : undefined;
}

/** @param {any} value @returns {string} empty for what is unknown */
function kind(value) {
  return value == null || Number.isNaN(value) ? "" : typeof value;
}

/** @param {(boolean | undefined)[]} answers @param {boolean} stop the answer that settles it @returns {boolean | undefined} */
function either(answers, stop) {
  return answers.includes(stop) ? stop : answers.includes(undefined) ? undefined : !stop;
}

/** @param {any} a @param {any} b @returns {boolean | undefined} */
function equal(a, b) {
  return [kind(a), kind(b)].some((it) => !it || it === "object") ? undefined : a === b;
}

/** @param {boolean | undefined} answer */
function opposite(answer) {
  return answer === undefined ? answer : !answer;
}

/** @param {any} a @param {any} b @returns {boolean | undefined} */
function contains(a, b) {
  if (Array.isArray(b)) return either(b.map((member) => equal(member, a)), true);
  if (typeof a !== "string") return undefined;
  return typeof b === "string" ? b.includes(a) : kind(b) === "object" ? Object.hasOwn(b, a) : undefined;
}
