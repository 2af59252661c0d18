import { checks } from './checks.js';

addEventListener('message', async ({ data: { name, args } }) => {
  try {
    postMessage({ result: await checks[name](...args) });
  } catch (error) {
    postMessage({ error: `${error}\n${error.stack}` });
  }
});
