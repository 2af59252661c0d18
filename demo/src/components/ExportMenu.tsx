import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { placeText } from '../attention/describe';
import { type Format, refusalOf, save } from '../export/save';
import { comparison } from '../state/compare';
import { head, isEmpty } from '../state/shown';

const id = 'export-menu';

/** An open menu is in the top layer: under its button, and on narrow screens as far left as it needs. */
function place(menu: HTMLElement | null, button: HTMLElement | null): void {
  if (!button || !menu?.matches(':popover-open')) return;
  const { bottom, right } = button.getBoundingClientRect();
  const { clientWidth } = document.documentElement;
  menu.style.top = `${bottom + scrollY + 4}px`;
  menu.style.left = `${Math.max(8, right - menu.offsetWidth) + scrollX}px`;
  if (menu.offsetLeft + menu.offsetWidth > clientWidth - 8) menu.style.left = '8px';
}

/** What is on screen as a file. */
export function ExportMenu() {
  const button = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const busy = useSignal<Format | null>(null);
  const note = useSignal('');

  useEffect(() => {
    // The button moves with the page, which by then is drawn for its new size.
    const follow = () => requestAnimationFrame(() => place(menu.current, button.current));
    addEventListener('resize', follow);
    return () => removeEventListener('resize', follow);
  }, []);
  const onToggle = ({ newState }: { newState: string }) => {
    note.value = '';
    if (newState !== 'open') return;
    place(menu.current, button.current);
    menu.current?.querySelector<HTMLElement>('button:enabled')?.focus();
  };
  const take = async (format: Format) => {
    if (busy.value) return;
    busy.value = format;
    note.value = '';
    try {
      note.value = `Saved ${await save(format)}`;
    } catch (error) {
      note.value = error instanceof Error ? error.message : String(error);
    } finally {
      busy.value = null;
    }
  };
  // Elsewhere Escape lets locked pairs go.
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    menu.current?.hidePopover();
    button.current?.focus();
  };

  return (
    <>
      <button ref={button} type="button" class="button" disabled={isEmpty.value} popovertarget={id}>
        Export
      </button>
      <div
        ref={menu}
        id={id}
        class="export-menu"
        popover="auto"
        role="dialog"
        aria-label="Export"
        data-testid={id}
        onToggle={onToggle}
        onKeyDown={onKeyDown}
      >
        <p class="export-what">{comparison.value ? 'PNG of A, B and B − A; the others of B' : placeText(head.value)}</p>
        <ul>
          <Item format="PNG" onTake={take}>
            {comparison.value ? 'the matrices with their legends' : 'the matrix with tokens and legend'}
          </Item>
          <Item format="SVG" onTake={take}>
            the arcs of the pair
          </Item>
          <Item format="CSV" onTake={take}>
            the weights as a table
          </Item>
          <Item format="JSON" onTake={take}>
            weights, tokens and model
          </Item>
        </ul>
        <p class="export-note" role="status">
          {busy.value ? `Writing ${busy.value}…` : note.value}
        </p>
      </div>
    </>
  );
}

interface ItemProps {
  format: Format;
  onTake(format: Format): void;
  children: string;
}

function Item({ format, onTake, children }: ItemProps) {
  const refusal = refusalOf(format);
  const described = `export-${format.toLowerCase()}`;
  return (
    <li>
      <button
        type="button"
        class="button"
        aria-describedby={described}
        disabled={refusal !== ''}
        onClick={() => onTake(format)}
      >
        {format}
      </button>
      <span id={described}>
        {children}
        {refusal && <em>{refusal}</em>}
      </span>
    </li>
  );
}
