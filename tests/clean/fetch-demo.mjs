// Runs `npm run demo`, and fetches the page it announces with every file that page names.
import { spawn } from 'node:child_process';

function announcedAddress(demo) {
  return new Promise((done, fail) => {
    let text = '';
    demo.stdout.on('data', (chunk) => {
      process.stdout.write(chunk);
      text += chunk;
      const announced = /The attention explorer is at (\S+)/.exec(text);
      if (announced) done(announced[1]);
    });
    demo.on('exit', (code) => fail(new Error(`npm run demo ended (${code}) before it served anything.`)));
  });
}

async function fetchText(address) {
  const response = await fetch(address);
  const text = await response.text();
  console.log(`${response.status}  ${String(text.length).padStart(8)}  ${address}`);
  if (!response.ok) throw new Error(`${address} answered ${response.status}.`);
  return text;
}

// In a process group of its own, so that npm's children end with it.
const demo = spawn('npm', ['run', 'demo'], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
try {
  const url = await announcedAddress(demo);
  const page = await fetchText(url);
  const files = [...page.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, name]) => new URL(name, url).href);
  if (!files.some((file) => file.endsWith('.js'))) throw new Error('The page names no script.');
  for (const file of files) await fetchText(file);
} finally {
  if (demo.exitCode === null) process.kill(-demo.pid);
}
