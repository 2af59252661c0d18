import { readFileSync } from 'node:fs';
import { cpus, release, type } from 'node:os';

/** Where and with what the figures were made. */
export function describeMachine() {
  const processors = cpus();
  return {
    processor: processors[0].model.trim(),
    cores: processors.length,
    system: `${type()} ${release()}`,
    node: process.versions.node,
    v8: process.versions.v8,
    versions: { 'attention-wasm': versionOf('../package.json'), ...peerVersions() },
  };
}

function peerVersions() {
  const { dependencies } = read('./package.json');
  const peers = ['onnxruntime-web', '@jax-js/jax', '@tensorflow/tfjs-backend-wasm', '@lat.md/embed'];
  return Object.fromEntries(peers.map((name) => [name, dependencies[name]]));
}

const versionOf = (path) => read(path).version;
const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
