import { use } from './use.js';

use().then(
  (result) => {
    globalThis.result = result;
  },
  (error) => {
    globalThis.result = { error: String(error) };
  },
);
