import { useMemo } from 'preact/hooks';
import { measureText, type Ranked, valueText } from '../attention/search';
import { openHead, place } from '../state/request';
import { order, ranking } from '../state/search';
import { overview } from '../state/shown';
import { isOff } from '../state/what-if';
import { HeadSearch } from './HeadSearch';
import { Heatmap } from './Heatmap';
import { moveFocus } from './roving';

/** Every head of every layer, always in sight: as they are in the model, or ranked. */
export function HeadGrid() {
  const onKeyDown = (event: KeyboardEvent) => {
    const target = moveFocus(event);
    if (target) openHead(Number(target.dataset.layer), Number(target.dataset.head));
  };
  return (
    <>
      <HeadSearch />
      <div
        class={ranking.value ? 'heads-ranked' : 'heads-grid'}
        role="radiogroup"
        aria-label="Heads"
        data-testid="heads"
        data-order={order.value ?? 'layers'}
        style={{ '--heads': overview.value.heads }}
        onKeyDown={onKeyDown}
      >
        {ranking.value ? <RankedHeads list={ranking.value} /> : <Layers />}
      </div>
    </>
  );
}

function Layers() {
  const { layers, heads } = overview.value;
  return Array.from({ length: layers }, (_, layer) => (
    <div class="layer" key={layer}>
      <h3>layer {layer}</h3>
      <div class="layer-heads">
        {Array.from({ length: heads }, (_, index) => (
          <Thumbnail key={index} layer={layer} index={index} />
        ))}
      </div>
    </div>
  ));
}

function RankedHeads({ list }: { list: Ranked[] }) {
  const by = order.value ?? 'pair';
  return list.map(({ layer, head, value }, i) => (
    <span class="ranked-head" key={`${layer}.${head}`} data-value={value}>
      <Thumbnail layer={layer} index={head} note={`, ${measureText(value, by)}, rank ${i + 1}`} />
      <span class="ranked-label" aria-hidden="true">
        <span>
          {layer}.{head}
        </span>
        <span>{valueText(value, by)}</span>
      </span>
    </span>
  ));
}

interface ThumbnailProps {
  layer: number;
  index: number;
  note?: string;
}

function Thumbnail({ layer, index, note = '' }: ThumbnailProps) {
  const { heads, layers, side, cells } = overview.value;
  const own = useMemo(() => {
    const start = (layer * heads + index) * side * side;
    return cells.subarray(start, start + side * side);
  }, [cells, layer, index]);
  // A model with fewer shows its last one.
  const open = { layer: Math.min(place.value.layer, layers - 1), head: Math.min(place.value.head, heads - 1) };
  const isOpen = open.layer === layer && open.head === index;
  const name = `Layer ${layer}, head ${index}${note}${isOff(layer, index) ? ', off' : ''}`;
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
      data-off={isOff(layer, index) || undefined}
      onClick={() => openHead(layer, index)}
    >
      <Heatmap cells={own} rows={side} columns={side} />
    </button>
  );
}
