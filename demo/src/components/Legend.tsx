import { type Scale, weightScale } from '../heatmap/colors';
import { lensKind, weighting } from '../state/request';
import { Heatmap } from './Heatmap';

// Evenly spaced on the square-root scales.
const ramps = {
  weights: Float32Array.from({ length: 64 }, (_, i) => (i / 63) ** 2),
  differences: Float32Array.from({ length: 64 }, (_, i) => Math.sign(i - 31.5) * ((2 * i) / 63 - 1) ** 2),
};

export function Legend({ scale = weightScale }: { scale?: Scale }) {
  const [first, last] = scale.name === 'weights' ? ['0', '1'] : ['−1', '+1'];
  return (
    <span class="legend" title="Colour grows with the square root of the weight: its middle is 0.25">
      {first}
      <Heatmap cells={ramps[scale.name]} rows={1} columns={64} scale={scale} />
      {last}
      <span class="legend-scale">√ scale{lensKind.value === 'heads' && weighting.value === 'value' && ', ‖α·v‖'}</span>
    </span>
  );
}
