import { use } from './use.js';

use({ threads: 2 }).then(postMessage, (error) => postMessage({ error: String(error) }));
