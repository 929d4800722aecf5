/** Changing tags that other people may change at the same time. */

import { ApiError, ext } from '../../api/client';
import type { TagSummary } from '../../api/columns';

export interface TagValues {
  name?: string;
  bitMaskData?: string;
}

/** A change that was refused, because the tag is no longer as it was on the screen. */
export interface TagConflict {
  /** The tag as it is now; null when it is gone. */
  now: TagSummary | null;
  values: TagValues;
}

/**
 * Changes a tag if it is still as the caller knows it.
 *
 * @returns What stands in the way, or null when it was changed.
 */
export async function changeTag(
  datasetId: string,
  tag: TagSummary,
  values: TagValues,
): Promise<TagConflict | null> {
  try {
    await ext.PUT('/ext/v1/datasets/{datasetId}/tags/{tagId}', {
      params: { path: { datasetId, tagId: tag.id } },
      body: {
        name: values.name ?? tag.name,
        ...(values.bitMaskData ? { bitMaskData: values.bitMaskData } : {}),
        updateCreator: 'USER_WEBAPP',
        basedOn: tag.lastModifiedAt,
      },
    });
    return null;
  } catch (error) {
    if (!(error instanceof ApiError) || ![404, 409].includes(error.status)) throw error;
    const now = await findTag(datasetId, tag.id);
    // The name is taken, or the like: the tag itself is the one that was shown.
    if (now && now.lastModifiedAt === tag.lastModifiedAt) throw error;
    return { now, values };
  }
}

async function findTag(datasetId: string, tagId: string): Promise<TagSummary | null> {
  const params = { path: { datasetId } };
  const { data } = await ext.GET('/ext/v1/datasets/{datasetId}/tags', { params });
  return data?.find((tag) => tag.id === tagId) ?? null;
}
