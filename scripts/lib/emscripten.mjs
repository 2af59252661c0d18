// Finds an Emscripten, writes the configuration the build uses, and proves by a small module that the pair works.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure, findProgram, output, runLogged, toolsFolder } from './run.mjs';

export const oldestEmscripten = '3.1.69';
const debianRoot = '/usr/share/emscripten';
const configFile = join(toolsFolder, 'emscripten.config');
const stampFile = join(toolsFolder, 'emscripten.stamp');

/** Node 20 has relaxed SIMD behind a flag; later versions have it always and refuse the flag. */
export const nodeFlags = process.versions.node.startsWith('20.') ? ['--experimental-wasm-relaxed-simd'] : [];

/** The folder of an Emscripten the user brought along (EMSDK, or PATH: emsdk, Homebrew), if it is new enough. */
export async function findOwnEmscripten() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  if (process.env.EMSDK) folders.unshift(join(process.env.EMSDK, 'upstream', 'emscripten'));
  const tool = findProgram('em-config', folders);
  if (!tool) return undefined;
  const root = await output(tool, ['EMSCRIPTEN_ROOT']);
  if (root === debianRoot) return undefined;
  if (versionOf(root).localeCompare(oldestEmscripten, 'en', { numeric: true }) >= 0) return { root, tool };
  console.log(`Passing over Emscripten ${versionOf(root)} in ${root}: ${oldestEmscripten} is the oldest that will do.`);
  return undefined;
}

/** The Emscripten that install-debian.sh installs. */
export const debianEmscripten = { root: debianRoot };

/** The environment in which this Emscripten builds, once it has been seen to work. */
export async function prepareEmscripten(emscripten) {
  const env = { ...process.env, EM_CONFIG: configFile, EMSCRIPTEN_ROOT: emscripten.root };
  const stamp = [emscripten.root, versionOf(emscripten.root), toolsFolder, process.execPath, process.version].join(
    '\n',
  );
  if (existsSync(stampFile) && existsSync(configFile) && readFileSync(stampFile, 'utf8') === stamp) return env;
  mkdirSync(toolsFolder, { recursive: true });
  writeFileSync(configFile, await configuration(emscripten));
  await checkByBuilding(emscripten.root, env);
  writeFileSync(stampFile, stamp);
  return env;
}

function versionOf(root) {
  return readFileSync(join(root, 'emscripten-version.txt'), 'utf8').replace(/["\s]/g, '');
}

/** An Emscripten configuration file (Python): the tools as found, but always this Node, with the flag it needs. */
async function configuration({ root, tool }) {
  const settings = tool ? await ownSettings(tool) : debianSettings();
  const lines = Object.entries({ ...settings, NODE_JS: [process.execPath, ...nodeFlags] });
  return `# Written by scripts/setup.mjs for ${root}.\n${lines.map(([k, v]) => `${k} = ${pythonLiteral(v)}\n`).join('')}`;
}

async function ownSettings(tool) {
  const setting = (name) => output(tool, [name]);
  return {
    LLVM_ROOT: await setting('LLVM_ROOT'),
    BINARYEN_ROOT: await setting('BINARYEN_ROOT'),
    CACHE: await setting('CACHE'),
    FROZEN_CACHE: (await setting('FROZEN_CACHE')) === 'True',
  };
}

function debianSettings() {
  const unpackedBinaryen = join(toolsFolder, 'binaryen');
  return {
    LLVM_ROOT: '/usr/bin',
    LLVM_ADD_VERSION: '19',
    CLANG_ADD_VERSION: '19',
    BINARYEN_ROOT: existsSync(unpackedBinaryen) ? unpackedBinaryen : '/usr',
    FROZEN_CACHE: true,
  };
}

function pythonLiteral(value) {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return JSON.stringify(value);
}

async function checkByBuilding(root, env) {
  const folder = join(toolsFolder, 'probe');
  const module = join(folder, 'probe.mjs');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const source = join(import.meta.dirname, 'probe.cpp');
  const flags = ['-std=c++20', '-O1', '-msimd128', '-mrelaxed-simd', '-lembind', '-sEMBIND_AOT', '-sMODULARIZE'];
  const args = [...flags, '-sEXPORT_ES6', '-sENVIRONMENT=node', source, '-o', module];
  const title = `Checking Emscripten ${versionOf(root)} with a small relaxed-SIMD module`;
  await runLogged(title, 'probe.log', join(root, 'em++'), args, { env });
  const script = `import load from '${pathToFileURL(module)}'; console.log((await load()).multiplyAdd(2, 3, 4));`;
  const answer = await output(process.execPath, [...nodeFlags, '--input-type=module', '-e', script], { env });
  if (answer !== '10')
    throw new Failure(`The module built with ${root} computed 2·3 + 4 = ${answer}: this toolchain is broken.`);
}
