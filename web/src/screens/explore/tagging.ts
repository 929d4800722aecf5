/** Making tags of what is selected, and putting it into others or taking it out. */

import { v1 } from '../../api/client';
import { fetchTagBits, type TagSummary } from '../../api/columns';
import { Bitset } from '../../lib/bitset';
import { changeTag, type TagConflict } from '../tags/editing.svelte';
import type { ExploreState } from './state.svelte';

/** Makes a tag of what is selected; its parent is the current tag where it fits. */
export async function createTag(explore: ExploreState, name: string): Promise<void> {
  const { bits, current, initial } = explore.tagSets;
  const isWithin = !bits || explore.selection.isSubsetOf(bits);
  const parent = isWithin ? (current ?? initial) : initial;
  if (!parent) throw new Error('The dataset has no initial tag yet.');
  await v1.POST('/v1/datasets/{datasetId}/tags', {
    params: { path: { datasetId: explore.datasetId } },
    body: {
      name,
      prevTagId: parent.id,
      bitMaskData: explore.selection.toHex(),
      totSize: parent.totSize,
      creator: 'USER_WEBAPP',
    },
  });
  await explore.tagSets.load();
}

export type TagChange = 'ADD' | 'REMOVE';

/** How many samples a change of a tag moves, and how many the tag has then. */
export interface TagOutcome {
  moved: number;
  count: number;
  bits: Bitset;
}

/** What a tag becomes, from its samples of just now. */
export async function planChange(
  explore: ExploreState,
  tag: TagSummary,
  change: TagChange,
  signal?: AbortSignal,
): Promise<TagOutcome> {
  const column = await fetchTagBits(explore.datasetId, tag.id, signal);
  const before = new Bitset(explore.count, column.values as Uint8Array);
  const { selection } = explore;
  const bits = change === 'ADD' ? before.or(selection) : before.andNot(selection);
  return { bits, count: bits.count(), moved: bits.xor(before).count() };
}

/** Changes a tag if nobody else has changed it meanwhile; else says what stands in the way. */
export async function applyChange(
  explore: ExploreState,
  tag: TagSummary,
  outcome: TagOutcome,
): Promise<TagConflict | null> {
  const values = { bitMaskData: outcome.bits.toHex() };
  const conflict = await changeTag(explore.datasetId, tag, values);
  await explore.tagSets.load();
  if (!conflict) await explore.reloadTag(tag.id);
  return conflict;
}
