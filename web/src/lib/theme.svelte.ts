const KEY = 'theme';

export type Theme = 'light' | 'dark';
export type ThemeSetting = Theme | 'system';

class ThemeChoice {
  private system = window.matchMedia('(prefers-color-scheme: dark)');
  private isSystemDark = $state(this.system.matches);
  private chosen = $state<Theme | null>(read());
  current: Theme = $derived(this.chosen ?? (this.isSystemDark ? 'dark' : 'light'));

  constructor() {
    this.system.addEventListener('change', (event) => (this.isSystemDark = event.matches));
    this.apply();
  }

  get setting(): ThemeSetting {
    return this.chosen ?? 'system';
  }

  toggle(): void {
    this.set(this.current === 'dark' ? 'light' : 'dark');
  }

  set(setting: ThemeSetting): void {
    this.chosen = setting === 'system' ? null : setting;
    try {
      if (this.chosen) localStorage.setItem(KEY, this.chosen);
      else localStorage.removeItem(KEY);
    } catch {
      // Private windows may forbid it; then the choice lasts until the page is left.
    }
    this.apply();
  }

  private apply(): void {
    if (this.chosen) document.documentElement.dataset.theme = this.chosen;
    else delete document.documentElement.dataset.theme;
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
