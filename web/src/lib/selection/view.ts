/** What the page of selections shows, as the query of its address and back. */

import { encodeQueryText, escapeSigns, readNumber, unescapeSigns } from '../urlText';
import {
  DISTRIBUTIONS,
  makeRule,
  OPERATIONS,
  RULE_KINDS,
  SOURCES,
  type Rule,
  type RuleKind,
} from './rules';

export type Amount =
  { kind: 'count'; value: number } | { kind: 'share'; value: number } | { kind: 'all' };

export interface SelectView {
  /** Who carries it out: a job of the server, or a run of a worker. */
  where: 'server' | 'worker';
  rules: Rule[];
  amount: Amount;
  /** The tag to choose from; null for all samples. */
  from: string | null;
  /** The tag with samples that are chosen already. */
  preselected: string | null;
  embedding: string | null;
  name: string;
  /** Of a run: look at all files, and go on from what earlier runs have chosen. */
  processAll: boolean;
  useDatapool: boolean;
  labels: string[];
  priority: 'LOW' | 'MID' | 'HIGH' | 'CRITICAL';
  /** The job that was begun. */
  job: string | null;
}

export const PRIORITIES = ['LOW', 'MID', 'HIGH', 'CRITICAL'] as const;
const USUAL_COUNT = 100;

export const DEFAULT_SELECT_VIEW: SelectView = {
  where: 'server',
  rules: [],
  amount: { kind: 'count', value: USUAL_COUNT },
  from: null,
  preselected: null,
  embedding: null,
  name: '',
  processAll: true,
  useDatapool: false,
  labels: [],
  priority: 'MID',
  job: null,
};

const ID = /^[a-f0-9]{24}$/;

export function readSelectView(query: string): SelectView {
  const given = new URLSearchParams(query);
  const id = (name: string) => (ID.test(given.get(name) ?? '') ? given.get(name) : null);
  const priority = PRIORITIES.find((one) => one === given.get('priority'));
  return {
    where: given.get('on') === 'worker' ? 'worker' : 'server',
    rules: readRules(given.get('r') ?? ''),
    amount: readAmount(given.get('n')),
    from: id('from'),
    preselected: id('with'),
    embedding: id('emb'),
    name: given.get('name') ?? '',
    processAll: given.get('new') !== '1',
    useDatapool: given.get('pool') === '1',
    labels: (given.get('labels') ?? '').split(',').filter(Boolean),
    priority: priority ?? 'MID',
    job: id('job'),
  };
}

/** The query without its question mark; what is as usual is left out. */
export function writeSelectView(view: SelectView): string {
  const parts: string[] = [];
  const add = (name: string, value: string | null) => {
    if (value) parts.push(`${name}=${encodeQueryText(value)}`);
  };
  add('r', writeRules(view.rules));
  add('n', writeAmount(view.amount));
  add('from', view.from);
  add('with', view.preselected);
  add('emb', view.embedding);
  add('name', view.name);
  if (view.where === 'worker') add('on', 'worker');
  if (!view.processAll) add('new', '1');
  if (view.useDatapool) add('pool', '1');
  add('labels', view.labels.join(','));
  if (view.priority !== 'MID') add('priority', view.priority);
  add('job', view.job);
  return parts.join('&');
}

function readAmount(text: string | null): Amount {
  if (text === 'all') return { kind: 'all' };
  const isShare = text?.endsWith('%');
  const value = readNumber(isShare ? text!.slice(0, -1) : text);
  if (value === null || value < 0) return DEFAULT_SELECT_VIEW.amount;
  // In whole millionths: a hundredth of 7 would be 0.07 and a bit.
  if (isShare) return { kind: 'share', value: Math.min(1, Math.round(value * 1e4) / 1e6) };
  return { kind: 'count', value: Math.floor(value) };
}

function writeAmount(amount: Amount): string | null {
  if (amount.kind === 'all') return 'all';
  if (amount.kind === 'share') return `${Math.round(amount.value * 1e6) / 1e4}%`;
  return amount.value === USUAL_COUNT ? null : String(amount.value);
}

// Names of fields in addresses. Texts, numbers, and choices of a closed list.
const TEXTS = { key: 'key', task: 'task', tag: 'tag' } as const;
const NUMBERS = {
  strength: 'strength',
  value: 'value',
  min: 'minDistance',
  typical: 'minTypicality',
  least: 'minSum',
  most: 'maxSum',
  near: 'neighbors',
  seed: 'seed',
} as const;
const CHOICES = {
  of: ['source', SOURCES],
  op: ['operation', OPERATIONS],
  dist: ['distribution', DISTRIBUTIONS],
} as const;
const SIGNS = /[%~;:,=]/g;
const escape = (text: string) => escapeSigns(text, SIGNS);

export function writeRules(rules: readonly Rule[]): string {
  return rules.map(writeRule).join('~');
}

function writeRule(rule: Rule): string {
  const usual = makeRule(rule.kind);
  const parts: string[] = [rule.kind];
  for (const [name, [field]] of Object.entries(CHOICES))
    if (rule[field] !== usual[field]) parts.push(`${name}=${rule[field]}`);
  for (const [name, field] of Object.entries(TEXTS))
    if (rule[field]) parts.push(`${name}=${escape(rule[field])}`);
  for (const [name, field] of Object.entries(NUMBERS))
    if (rule[field] !== null) parts.push(`${name}=${rule[field]}`);
  if (rule.categories.length) parts.push(`cat=${rule.categories.map(escape).join(',')}`);
  const target = Object.entries(rule.target).map(([name, share]) => `${escape(name)}:${share}`);
  if (target.length) parts.push(`to=${target.join(',')}`);
  return parts.join(';');
}

export function readRules(text: string): Rule[] {
  const rules: Rule[] = [];
  for (const part of text.split('~')) {
    const [kind, ...fields] = part.split(';');
    if (RULE_KINDS.includes(kind as RuleKind)) rules.push(readRule(kind as RuleKind, fields));
  }
  return rules;
}

function readRule(kind: RuleKind, fields: string[]): Rule {
  const rule = makeRule(kind) as Rule & Record<string, unknown>;
  for (const field of fields) {
    const sign = field.indexOf('=');
    const [name, value] = [field.slice(0, sign), field.slice(sign + 1)];
    if (Object.hasOwn(TEXTS, name)) rule[TEXTS[name as keyof typeof TEXTS]] = unescapeSigns(value);
    if (Object.hasOwn(NUMBERS, name))
      rule[NUMBERS[name as keyof typeof NUMBERS]] = readNumber(value);
    if (Object.hasOwn(CHOICES, name)) {
      const [key, choices] = CHOICES[name as keyof typeof CHOICES];
      if ((choices as readonly string[]).includes(value))
        (rule as Record<string, unknown>)[key] = value;
    }
    if (name === 'cat') rule.categories = value.split(',').filter(Boolean).map(unescapeSigns);
    if (name === 'to') rule.target = readTarget(value);
  }
  return rule;
}

function readTarget(text: string): Record<string, number> {
  const target: Record<string, number> = {};
  for (const pair of text.split(',')) {
    const colon = pair.lastIndexOf(':');
    const share = readNumber(pair.slice(colon + 1));
    if (colon > 0 && share !== null && share >= 0)
      target[unescapeSigns(pair.slice(0, colon))] = share;
  }
  return target;
}
