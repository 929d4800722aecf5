const KEY = 'theme';

export type Theme = 'light' | 'dark';

class ThemeChoice {
  private system = window.matchMedia('(prefers-color-scheme: dark)');
  private isSystemDark = $state(this.system.matches);
  private chosen = $state<Theme | null>(read());
  current: Theme = $derived(this.chosen ?? (this.isSystemDark ? 'dark' : 'light'));

  constructor() {
    this.system.addEventListener('change', (event) => (this.isSystemDark = event.matches));
    this.apply();
  }

  toggle(): void {
    this.chosen = this.current === 'dark' ? 'light' : 'dark';
    try {
      localStorage.setItem(KEY, this.chosen);
    } catch {
      // Private windows may forbid it; then the choice lasts until the page is left.
    }
    this.apply();
  }

  private apply(): void {
    if (this.chosen) document.documentElement.dataset.theme = this.chosen;
  }
}

function read(): Theme | null {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === 'light' || stored === 'dark' ? stored : null;
  } catch {
    return null;
  }
}

export const theme = new ThemeChoice();
