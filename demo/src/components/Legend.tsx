import { Heatmap } from './Heatmap';

// Squares of even steps: evenly spaced on the square-root scale.
const ramp = Float32Array.from({ length: 64 }, (_, i) => (i / 63) ** 2);

export function Legend() {
  return (
    <span class="legend" title="Colour grows with the square root of the weight: its middle is 0.25">
      0
      <Heatmap weights={ramp} rows={1} columns={64} />1<span class="legend-scale">√ scale</span>
    </span>
  );
}
