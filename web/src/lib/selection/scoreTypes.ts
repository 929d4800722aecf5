/** Scores that workers make of the predictions of a task. */
export const SCORE_TYPES = [
  'uncertainty_entropy',
  'uncertainty_margin',
  'uncertainty_least_confidence',
  'objectness_least_confidence',
  'object_frequency',
  'mean_uncertainty',
];
