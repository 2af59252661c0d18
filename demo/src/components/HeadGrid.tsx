import { useMemo } from 'preact/hooks';
import { openHead, place } from '../state/request';
import { overview } from '../state/shown';
import { Heatmap } from './Heatmap';
import { moveFocus } from './roving';

/** Every head of every layer, always in sight. */
export function HeadGrid() {
  const { layers, heads } = overview.value;
  const onKeyDown = (event: KeyboardEvent) => {
    const target = moveFocus(event);
    if (target) openHead(Number(target.dataset.layer), Number(target.dataset.head));
  };
  return (
    <div
      class="heads-grid"
      role="radiogroup"
      aria-label="Heads"
      data-testid="heads"
      style={{ '--heads': heads }}
      onKeyDown={onKeyDown}
    >
      {Array.from({ length: layers }, (_, layer) => (
        <div class="layer" key={layer}>
          <h3>layer {layer}</h3>
          <div class="layer-heads">
            {Array.from({ length: heads }, (_, index) => (
              <Thumbnail key={index} layer={layer} index={index} />
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}

function Thumbnail({ layer, index }: { layer: number; index: number }) {
  const { heads, layers, side, cells } = overview.value;
  const own = useMemo(() => {
    const start = (layer * heads + index) * side * side;
    return cells.subarray(start, start + side * side);
  }, [cells, layer, index]);
  // A model with fewer shows its last one.
  const open = { layer: Math.min(place.value.layer, layers - 1), head: Math.min(place.value.head, heads - 1) };
  const isOpen = open.layer === layer && open.head === index;
  const name = `Layer ${layer}, head ${index}`;
  return (
    // biome-ignore lint/a11y/useSemanticElements: an input cannot hold its picture
    <button
      type="button"
      class="thumbnail"
      role="radio"
      aria-checked={isOpen}
      aria-label={name}
      title={name}
      tabIndex={isOpen ? 0 : -1}
      data-layer={layer}
      data-head={index}
      onClick={() => openHead(layer, index)}
    >
      <Heatmap cells={own} rows={side} columns={side} />
    </button>
  );
}
