// What is drawn of the results: file, title, description and Plot's options of each chart.
import { decodeSpeed, modelTime, peerSpeed, speedInBrowsers } from './bars.mjs';
import { densityTime, lengthTime } from './lines.mjs';

const charts = {
  attention: [lengthTime, peerSpeed],
  model: [modelTime],
  decode: [decodeSpeed],
  density: [densityTime],
  browsers: [speedInBrowsers],
};

/** Charts of the sections that there are results of. */
export function chartsOf(results) {
  return Object.entries(charts).flatMap(([section, all]) =>
    results[section] ? all.map((chart) => chart(results)) : [],
  );
}
