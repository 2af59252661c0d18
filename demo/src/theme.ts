import { effect, signal } from '@preact/signals';

type Theme = 'light' | 'dark';
const key = 'attention-explorer-theme';
const system = matchMedia('(prefers-color-scheme: dark)');

// Storage is refused in some private windows; the theme then lasts as long as the page.
function stored(): Theme | null {
  try {
    const value = localStorage.getItem(key);
    return value === 'light' || value === 'dark' ? value : null;
  } catch {
    return null;
  }
}

const systemTheme = signal<Theme>(system.matches ? 'dark' : 'light');
const chosenTheme = signal(stored());
export const isDark = () => (chosenTheme.value ?? systemTheme.value) === 'dark';

export function toggleTheme(): void {
  chosenTheme.value = isDark() ? 'light' : 'dark';
  try {
    localStorage.setItem(key, chosenTheme.value);
  } catch {
    // Without storage the choice lasts until the page is closed.
  }
}

export function applyTheme(): void {
  system.addEventListener('change', ({ matches }) => {
    systemTheme.value = matches ? 'dark' : 'light';
  });
  effect(() => {
    document.documentElement.dataset.theme = chosenTheme.value ?? 'system';
  });
}
