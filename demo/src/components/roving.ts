import type { Box } from '../attention/arcs';

/** Which of the laid-out items an arrow key leads to; null for any other key and at the edges. Works for rows, grids and wrapped lines. */
export function neighbour(boxes: Box[], index: number, key: string): number | null {
  if (key === 'Home') return 0;
  if (key === 'End') return boxes.length - 1;
  if (key === 'ArrowRight') return index + 1 < boxes.length ? index + 1 : null;
  if (key === 'ArrowLeft') return index > 0 ? index - 1 : null;
  if (key !== 'ArrowDown' && key !== 'ArrowUp') return null;

  const here = boxes[index];
  const distance = (box: Box) => (key === 'ArrowDown' ? box.top - here.top : here.top - box.top);
  const ahead = boxes.map((_, i) => i).filter((i) => distance(boxes[i]) > here.height / 2);
  if (ahead.length === 0) return null;
  const nearestLine = Math.min(...ahead.map((i) => distance(boxes[i])));
  const line = ahead.filter((i) => distance(boxes[i]) - nearestLine < here.height / 2);
  const aside = (i: number) => Math.abs(boxes[i].left + boxes[i].width / 2 - here.left - here.width / 2);
  return line.reduce((best, i) => (aside(i) < aside(best) ? i : best));
}

/** Arrow keys move the focus among the buttons of a container of which one is a tab stop. */
export function moveFocus(event: KeyboardEvent): HTMLElement | null {
  const items = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('button')];
  const index = items.indexOf(event.target as HTMLElement);
  if (index < 0) return null;
  const next = neighbour(
    items.map((item) => item.getBoundingClientRect()),
    index,
    event.key,
  );
  if (next === null) return null;
  event.preventDefault();
  items[next].focus();
  return items[next];
}
