/** Why a selection cannot be begun yet, in words; null when it can. */

import { findServerLimit } from '../../lib/selection/request';
import { findGap, isAuto } from '../../lib/selection/rules';
import { select } from '../../strings/select';
import type { SelectState } from './state.svelte';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9 .:;=@_-]{2,254}$/;

export function findObstacle(form: SelectState): string | null {
  const { view } = form;
  const gap = view.rules.map(findGap).find((found) => found !== null);
  if (gap) return select.gap[gap];
  if (view.where === 'worker') return isAuto(view.rules) ? select.onlyServer : null;
  if (view.rules.some((rule) => findServerLimit(rule))) return select.onlyWorker;
  if (form.lacksVectors) return select.noEmbedding;
  if (form.isLoaded && !form.isCounting && form.nEligible === 0) return select.nothingLeft;
  const name = view.name.trim();
  if (!name) return select.needsName;
  if (!NAME.test(name)) return select.nameInvalid;
  return form.tags.some((tag) => tag.name === name) ? select.nameTaken : null;
}
