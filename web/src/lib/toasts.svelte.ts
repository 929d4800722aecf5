export interface Toast {
  id: number;
  text: string;
  kind: 'info' | 'error';
  action?: { label: string; run: () => void };
}

const VISIBLE_MS = 6_000;

class Toasts {
  list = $state<Toast[]>([]);
  private next = 1;

  show(
    text: string,
    options: Partial<Omit<Toast, 'id' | 'text'>> & { durationMs?: number } = {},
  ): number {
    const id = this.next++;
    this.list.push({ id, text, kind: options.kind ?? 'info', action: options.action });
    setTimeout(() => this.close(id), options.durationMs ?? VISIBLE_MS);
    return id;
  }

  fail(error: unknown): void {
    this.show(error instanceof Error ? error.message : String(error), { kind: 'error' });
  }

  close(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
