/** Undo and redo over states that are never changed in place. */
export class UndoStack<State> {
  private past: State[] = [];
  private future: State[] = [];

  constructor(private readonly limit = 100) {}

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  /** Notes the state that is about to be left. */
  push(state: State): void {
    this.past.push(state);
    if (this.past.length > this.limit) this.past.shift();
    this.future = [];
  }

  undo(present: State): State | undefined {
    const state = this.past.pop();
    if (state !== undefined) this.future.push(present);
    return state;
  }

  redo(present: State): State | undefined {
    const state = this.future.pop();
    if (state !== undefined) this.past.push(present);
    return state;
  }
}
