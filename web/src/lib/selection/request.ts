/** What a form of rules comes to: the bodies of requests, and the Python that sends the same. */

import { writeCall } from './python';
import { isAuto, type Rule } from './rules';
import type { Amount, SelectView } from './view';

export type Json = Record<string, unknown>;

/** Why a rule cannot be carried out by the server itself; null when it can. */
export function findServerLimit(rule: Rule): 'predictions' | null {
  const hasSource = ['weights', 'threshold', 'balance'].includes(rule.kind);
  return hasSource && rule.source === 'predictions' ? 'predictions' : null;
}

/** The body of `POST /ext/v1/datasets/{datasetId}/selection`. */
export function makeServerRequest(view: SelectView): Json {
  const strategies = view.rules.map(writeServerStrategy);
  if (isAuto(view.rules)) strategies.unshift({ type: 'AUTO' });
  return {
    ...writeAmount(view.amount),
    ...leaveOut({
      preselectedTagId: view.preselected,
      queryTagId: view.from,
      embeddingId: view.embedding,
    }),
    newTagName: view.name.trim(),
    strategies,
  };
}

/** The body of `POST /v1/docker/worker/config/vX`, and of the run that is scheduled with it. */
export function makeWorkerRequest(
  view: SelectView,
  datasetId: string,
  tagNames: Map<string, string>,
) {
  const docker = makeWorkerOptions(view);
  const selection = makeSelectionConfig(view, datasetId, tagNames);
  return {
    config: {
      version: 'V4',
      config: { workerType: 'FULL', ...(docker ? { docker } : {}), selection },
      creator: 'USER_WEBAPP',
    },
    schedule: { priority: view.priority, runsOn: view.labels, creator: 'USER_WEBAPP' },
  };
}

function makeWorkerOptions(view: SelectView): Json | null {
  const options: Json = {
    ...(view.processAll ? { datasource: { processAll: true } } : {}),
    ...(view.useDatapool ? { useDatapool: true } : {}),
  };
  return Object.keys(options).length ? options : null;
}

/** `SelectionConfigV4` of the contract. */
export function makeSelectionConfig(
  view: SelectView,
  datasetId: string,
  tagNames: Map<string, string>,
): Json {
  const strategies = view.rules.map((rule) => writeWorkerStrategy(rule, datasetId, tagNames));
  return { ...writeAmount(view.amount), strategies };
}

/** Python that does the same, with the client that the platform comes with. */
export function writePythonProgram(
  view: SelectView,
  datasetId: string,
  tagNames: Map<string, string>,
): string {
  const head = `from lightly.api import ApiWorkflowClient

client = ApiWorkflowClient(dataset_id="${datasetId}")`;
  if (view.where === 'worker') {
    const options = makeWorkerOptions(view);
    const call = writeCall('client.schedule_compute_worker_run', [
      ...(options ? [['worker_config', toSnakeCase(options)] as [string, unknown]] : []),
      ['selection_config', toSnakeCase(makeSelectionConfig(view, datasetId, tagNames))],
      ...(view.priority === 'MID' ? [] : [['priority', view.priority] as [string, unknown]]),
      ...(view.labels.length ? [['runs_on', view.labels] as [string, unknown]] : []),
    ]);
    return `${head}\nrun_id = ${call}\n`;
  }
  const { newTagName, ...body } = makeServerRequest(view);
  const names: Record<string, string> = {
    nSamples: 'n_samples',
    proportionSamples: 'proportion_samples',
    preselectedTagId: 'preselected_tag_id',
    queryTagId: 'query_tag_id',
    embeddingId: 'embedding_id',
    strategies: 'strategies',
  };
  const given = Object.entries(body).map(
    ([key, value]) => [names[key], value] as [string, unknown],
  );
  return `${head}\ntag = ${writeCall('client.create_selection', [[null, newTagName], ...given])}\n`;
}

function writeAmount(amount: Amount): Json {
  if (amount.kind === 'count') return { nSamples: amount.value };
  return amount.kind === 'share' ? { proportionSamples: amount.value } : { nSamples: -1 };
}

function leaveOut(fields: Json): Json {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== undefined),
  );
}

export function writeServerStrategy(rule: Rule): Json {
  const strength = leaveOut({ strength: rule.strength });
  const source = rule.source === 'score' ? { scoreType: rule.key } : { metadataKey: rule.key };
  switch (rule.kind) {
    case 'diversity':
      return { type: 'DIVERSITY', ...leaveOut({ minDistance: rule.minDistance }), ...strength };
    case 'typicality':
      return {
        type: 'TYPICALITY',
        ...leaveOut({
          nNeighbors: rule.neighbors,
          minTypicality: rule.minTypicality,
          maxSum: rule.maxSum,
        }),
        ...strength,
      };
    case 'weights':
      return {
        type: 'WEIGHTS',
        ...source,
        ...leaveOut({ minSum: rule.minSum, maxSum: rule.maxSum }),
        ...strength,
      };
    case 'threshold':
      return { type: 'THRESHOLD', ...source, threshold: rule.value, operation: rule.operation };
    case 'balance':
      return {
        type: 'BALANCE',
        metadataKey: rule.key,
        distribution: rule.distribution,
        ...(rule.distribution === 'TARGET' ? { target: rule.target } : {}),
        ...strength,
      };
    case 'similarity':
      return {
        type: 'SIMILARITY',
        tagId: rule.tag,
        ...leaveOut({ maxSum: rule.maxSum }),
        ...strength,
      };
    case 'random':
      return { type: 'RANDOM', ...leaveOut({ seed: rule.seed }), ...strength };
  }
}

export function writeWorkerStrategy(
  rule: Rule,
  datasetId: string,
  tagNames: Map<string, string>,
): Json {
  return {
    input: writeWorkerInput(rule, datasetId, tagNames),
    strategy: { type: WORKER_TYPES[rule.kind], ...writeWorkerFields(rule) },
  };
}

const WORKER_TYPES: Record<Rule['kind'], string> = {
  diversity: 'DIVERSITY',
  typicality: 'TYPICALITY',
  weights: 'WEIGHTS',
  threshold: 'THRESHOLD',
  balance: 'BALANCE',
  similarity: 'SIMILARITY',
  random: 'WEIGHTS',
};

function writeWorkerInput(rule: Rule, datasetId: string, tagNames: Map<string, string>): Json {
  if (rule.kind === 'random') return { type: 'RANDOM', ...leaveOut({ randomSeed: rule.seed }) };
  if (rule.kind === 'similarity')
    return { type: 'EMBEDDINGS', datasetId, tagName: tagNames.get(rule.tag) ?? '' };
  if (rule.kind === 'diversity' || rule.kind === 'typicality') return { type: 'EMBEDDINGS' };
  if (rule.source === 'score') return { type: 'SCORES', task: rule.task, score: rule.key };
  if (rule.source === 'metadata') return { type: 'METADATA', key: rule.key };
  if (rule.kind === 'balance')
    return { type: 'PREDICTIONS', task: rule.task, name: 'CLASS_DISTRIBUTION' };
  const categories = rule.categories.length ? { categories: rule.categories } : {};
  return { type: 'PREDICTIONS', task: rule.task, name: 'CATEGORY_COUNT', ...categories };
}

function writeWorkerFields(rule: Rule): Json {
  const strength = leaveOut({ strength: rule.strength });
  switch (rule.kind) {
    case 'diversity':
      return {
        ...leaveOut({ stopping_condition_minimum_distance: rule.minDistance }),
        ...strength,
      };
    case 'typicality':
      return {
        ...leaveOut({
          numNearestNeighbors: rule.neighbors,
          stoppingConditionMinimumTypicality: rule.minTypicality,
          stoppingConditionMaxSum: rule.maxSum,
        }),
        ...strength,
      };
    case 'threshold':
      return { threshold: rule.value, operation: rule.operation };
    case 'balance':
      return {
        ...(rule.distribution === 'TARGET'
          ? { target: rule.target }
          : { distribution: rule.distribution }),
        ...strength,
      };
    case 'weights': {
      const range = leaveOut({ minSum: rule.minSum, maxSum: rule.maxSum });
      return { ...(Object.keys(range).length ? { targetRange: range } : {}), ...strength };
    }
    case 'similarity':
      return { ...leaveOut({ stoppingConditionMaxSum: rule.maxSum }), ...strength };
    case 'random':
      return strength;
  }
}

/** Options as Python programs spell them; names of classes stay as they are. */
export function toSnakeCase(value: unknown, isClasses = false): unknown {
  if (Array.isArray(value)) return value.map((one) => toSnakeCase(one));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      isClasses ? key : key.replace(/[A-Z]/g, (sign) => `_${sign.toLowerCase()}`),
      toSnakeCase(one, key === 'target'),
    ]),
  );
}
