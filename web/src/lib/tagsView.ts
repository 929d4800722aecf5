/** What the page of tags shows, as the query of its address and back. */

export const ALGEBRA = ['UNION', 'INTERSECTION', 'DIFFERENCE'] as const;
export type Algebra = (typeof ALGEBRA)[number];

export interface TagsView {
  order: 'tree' | 'timeline';
  /** The tag whose history is shown. */
  tag: string | null;
  a: string | null;
  b: string | null;
  operation: Algebra;
}

export function readTagsView(query: string): TagsView {
  const given = new URLSearchParams(query);
  return {
    order: given.get('view') === 'timeline' ? 'timeline' : 'tree',
    tag: given.get('tag'),
    a: given.get('a'),
    b: given.get('b'),
    operation: ALGEBRA.find((one) => one === given.get('op')) ?? 'INTERSECTION',
  };
}

export function writeTagsView(view: TagsView): string {
  const query = new URLSearchParams();
  if (view.order !== 'tree') query.set('view', view.order);
  for (const name of ['tag', 'a', 'b'] as const) if (view[name]) query.set(name, view[name]);
  if (view.operation !== 'INTERSECTION') query.set('op', view.operation);
  return query.toString();
}
