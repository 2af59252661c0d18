import { type Panel, panel, panels } from '../state/panel';
import { isDark, toggleTheme } from '../theme';
import { moveFocus } from './roving';
import { ShareButton } from './ShareDialog';

const titles: Record<Panel, string> = {
  explore: 'Explore',
  masks: 'Masks',
  compare: 'Compare',
  learn: 'Learn',
  speed: 'Speed',
};

export function Header() {
  return (
    <header class="header">
      <h1>attention explorer</h1>
      <div class="tabs" role="tablist" aria-label="Panels" onKeyDown={onKeyDown}>
        {panels.map((name) => (
          <button
            type="button"
            key={name}
            class="tab"
            role="tab"
            id={`tab-${name}`}
            aria-selected={panel.value === name}
            aria-controls="panel"
            tabIndex={panel.value === name ? 0 : -1}
            data-panel={name}
            onClick={() => {
              panel.value = name;
            }}
          >
            {titles[name]}
          </button>
        ))}
      </div>
      <ShareButton />
      <button type="button" class="icon-button" aria-pressed={isDark()} aria-label="Dark colours" onClick={toggleTheme}>
        <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
          <circle cx="10" cy="10" r="7" fill="none" stroke="currentColor" stroke-width="1.5" />
          <path d="M10 3a7 7 0 0 1 0 14z" fill="currentColor" />
        </svg>
      </button>
    </header>
  );
}

function onKeyDown(event: KeyboardEvent): void {
  const name = moveFocus(event)?.dataset.panel;
  if (name) panel.value = name as Panel;
}
