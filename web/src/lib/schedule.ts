/** What the form for runs stands for. */

export interface RunForm {
  amount: 'number' | 'share';
  samples: number;
  percent: number;
  goal: 'diverse' | 'random' | 'typical';
}

const STRATEGIES = {
  diverse: [{ input: { type: 'EMBEDDINGS' }, strategy: { type: 'DIVERSITY' } }],
  random: [{ input: { type: 'RANDOM' }, strategy: { type: 'WEIGHTS' } }],
  typical: [{ input: { type: 'EMBEDDINGS' }, strategy: { type: 'TYPICALITY' } }],
} as const;

/** The configuration of a worker, in the wire contract's version V4. */
export function makeConfig(form: RunForm): Record<string, unknown> {
  const amount =
    form.amount === 'number'
      ? { nSamples: form.samples }
      : { proportionSamples: form.percent / 100 };
  return {
    workerType: 'FULL',
    docker: {},
    lightly: {},
    selection: { ...amount, strategies: STRATEGIES[form.goal] },
  };
}

/** Labels of a text with commas between them. */
export function readLabels(text: string): string[] {
  return [
    ...new Set(
      text
        .split(',')
        .map((label) => label.trim())
        .filter(Boolean),
    ),
  ];
}
