/** Name of the tag that has all samples. */
export const INITIAL_TAG = 'initial-tag';

export interface TreeTag {
  id: string;
  prevTagId?: string;
  createdAt: number;
}

export interface TreeRow<Tag> {
  tag: Tag;
  level: number;
}

/** Tags in the order of a tree: children below their parents, older ones first. */
export function makeTree<Tag extends TreeTag>(tags: readonly Tag[]): TreeRow<Tag>[] {
  const known = new Set(tags.map((tag) => tag.id));
  const children = new Map<string | null, Tag[]>();
  for (const tag of tags) {
    const parent = tag.prevTagId && known.has(tag.prevTagId) ? tag.prevTagId : null;
    children.set(parent, [...(children.get(parent) ?? []), tag]);
  }
  const rows: TreeRow<Tag>[] = [];
  const pending = [...(children.get(null) ?? [])]
    .sort((a, b) => b.createdAt - a.createdAt)
    .map((tag) => ({ tag, level: 0 }));
  while (pending.length) {
    const row = pending.pop()!;
    rows.push(row);
    const below = [...(children.get(row.tag.id) ?? [])].sort((a, b) => b.createdAt - a.createdAt);
    pending.push(...below.map((tag) => ({ tag, level: row.level + 1 })));
  }
  return rows;
}
