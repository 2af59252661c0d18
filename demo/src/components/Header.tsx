import { isDark, toggleTheme } from '../theme';

export function Header() {
  return (
    <header class="header">
      <h1>attention explorer</h1>
      <p>where every head of a small transformer looks, computed in this tab</p>
      <button type="button" class="icon-button" aria-pressed={isDark()} aria-label="Dark colours" onClick={toggleTheme}>
        <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
          <circle cx="10" cy="10" r="7" fill="none" stroke="currentColor" stroke-width="1.5" />
          <path d="M10 3a7 7 0 0 1 0 14z" fill="currentColor" />
        </svg>
      </button>
    </header>
  );
}
