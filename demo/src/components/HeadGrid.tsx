import { useMemo } from 'preact/hooks';
import { exampleReading } from '../example';
import { poolMax } from '../heatmap/pool';
import { head, openHead, view } from '../state';
import { Heatmap } from './Heatmap';
import { moveFocus } from './roving';

/** More cells than this a thumbnail cannot show. */
const thumbnailCells = 32;
// Of the model, not of the text: an empty text keeps its empty places.
const layers = exampleReading.layers.length;
const headsPerLayer = exampleReading.heads;

/** Every head of every layer, always in sight. */
export function HeadGrid() {
  const { tokens, matrices } = view.value;
  const onKeyDown = (event: KeyboardEvent) => {
    const target = moveFocus(event);
    if (target) openHead(Number(target.dataset.layer), Number(target.dataset.head));
  };
  return (
    <div class="heads" role="radiogroup" aria-label="Heads" data-testid="heads" onKeyDown={onKeyDown}>
      {Array.from({ length: layers }, (_, layer) => (
        <div class="layer" key={layer}>
          <h3>layer {layer}</h3>
          <div class="layer-heads">
            {Array.from({ length: headsPerLayer }, (_, index) => (
              <Thumbnail
                key={index}
                layer={layer}
                index={index}
                matrix={matrices[layer]?.[index]}
                size={tokens.length}
              />
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}

interface ThumbnailProps {
  layer: number;
  index: number;
  matrix: Float32Array | undefined;
  size: number;
}

function Thumbnail({ layer, index, matrix, size }: ThumbnailProps) {
  const pooled = useMemo(() => matrix && poolMax(matrix, size, thumbnailCells), [matrix, size]);
  const isOpen = head.value.layer === layer && head.value.head === index;
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
      {pooled && <Heatmap weights={pooled.cells} rows={pooled.side} columns={pooled.side} />}
    </button>
  );
}
