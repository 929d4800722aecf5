/** What a selection aims at: rules as the form has them, whatever carries them out. */

export const RULE_KINDS = [
  'diversity',
  'typicality',
  'weights',
  'threshold',
  'balance',
  'similarity',
  'random',
] as const;
export type RuleKind = (typeof RULE_KINDS)[number];

export const OPERATIONS = ['BIGGER', 'BIGGER_EQUAL', 'SMALLER', 'SMALLER_EQUAL'] as const;
export type Operation = (typeof OPERATIONS)[number];

export const DISTRIBUTIONS = ['UNIFORM', 'TARGET', 'INPUT'] as const;
export type Distribution = (typeof DISTRIBUTIONS)[number];

/** Where the numbers or classes of a rule come from. */
export const SOURCES = ['metadata', 'score', 'predictions'] as const;
export type Source = (typeof SOURCES)[number];

export interface Rule {
  kind: RuleKind;
  /** Null for the usual strength of 1. */
  strength: number | null;
  source: Source;
  /** Of the metadata, or the type of the score. */
  key: string;
  /** The task of predictions. */
  task: string;
  /** Which predictions are counted; none for all. */
  categories: string[];
  /** The tag to be similar to. */
  tag: string;
  operation: Operation;
  /** Of a threshold. */
  value: number | null;
  minDistance: number | null;
  minTypicality: number | null;
  minSum: number | null;
  maxSum: number | null;
  neighbors: number | null;
  seed: number | null;
  distribution: Distribution;
  target: Record<string, number>;
}

export function makeRule(kind: RuleKind, given: Partial<Rule> = {}): Rule {
  return {
    kind,
    strength: null,
    source: 'metadata',
    key: '',
    task: '',
    categories: [],
    tag: '',
    operation: 'BIGGER',
    value: null,
    minDistance: null,
    minTypicality: null,
    minSum: null,
    maxSum: null,
    neighbors: null,
    seed: null,
    distribution: 'UNIFORM',
    target: {},
    ...given,
  };
}

/** Rules that say what to aim at; the others only leave samples out. */
export const isObjective = (rule: Rule): boolean => rule.kind !== 'threshold';

/** Whether rules leave it to the server what to aim at. */
export const isAuto = (rules: readonly Rule[]): boolean => !rules.some(isObjective);

export const needsVectors = (rules: readonly Rule[]): boolean =>
  isAuto(rules) ||
  rules.some(({ kind }) => kind === 'diversity' || kind === 'typicality' || kind === 'similarity');

/** What is missing in a rule before it can be carried out; null when nothing is. */
export type Gap = 'key' | 'task' | 'tag' | 'value' | 'target';

export function findGap(rule: Rule): Gap | null {
  const hasSource = ['weights', 'threshold', 'balance'].includes(rule.kind);
  if (hasSource && rule.source === 'predictions' && !rule.task) return 'task';
  if (hasSource && rule.source !== 'predictions' && !rule.key) return 'key';
  if (rule.kind === 'threshold' && rule.value === null) return 'value';
  if (rule.kind === 'similarity' && !rule.tag) return 'tag';
  const isEmptyTarget = !Object.values(rule.target).some((share) => share > 0);
  if (rule.kind === 'balance' && rule.distribution === 'TARGET' && isEmptyTarget) return 'target';
  return null;
}
