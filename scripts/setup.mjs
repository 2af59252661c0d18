// Gets everything that building and testing need; run again, it only looks that all is there.
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { debianEmscripten, findOwnEmscripten, oldestEmscripten, prepareEmscripten } from './lib/emscripten.mjs';
import { Failure, findProgram, main, output, repository, runLogged } from './lib/run.mjs';

const advice = 'This needs the network: if the machine was offline, run the same command again when it is not.';

/**
 * Sets up the npm packages, the WebAssembly toolchain and what is asked for: `native` (compilers and Catch2 for the
 * C++ tests), `fuzz` (libFuzzer, for addresses of 32 bits), `coverage` (LLVM's tools for it), `lint` (clang-format and
 * clang-tidy), `browsers` (the three browsers the tests drive). Returns the environment for child processes.
 */
export async function setup({ native = false, fuzz = false, coverage = false, lint = false, browsers = false } = {}) {
  requireNode();
  await installPackages(repository);
  const own = await findOwnEmscripten();
  const parts = Object.entries({ build: true, emscripten: !own, native, fuzz, coverage, lint, browsers });
  const wanted = parts.filter(([, isWanted]) => isWanted).map(([part]) => part);
  if (isSupportedDebian()) await installDebianPackages(wanted);
  else requireTools(own, wanted);
  return prepareEmscripten(own ?? debianEmscripten);
}

/** `npm ci` in a folder, unless what is installed there is as new as its lock file. */
export async function installPackages(folder) {
  const installed = join(folder, 'node_modules', '.package-lock.json');
  const lock = join(folder, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  const title = `Installing the npm packages of ${folder}`;
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=http'];
  await runLogged(title, 'npm.log', 'npm', args, { cwd: folder, advice }).catch((error) => {
    rmSync(installed, { force: true });
    throw error;
  });
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Failure(`Node.js ${process.versions.node} is too old: 20.19 is the oldest that will do. With a newer one, for this once:

  npx --yes -p node@22 -- npm run ${process.env.npm_lifecycle_event ?? 'demo'}
`);
}

function isSupportedDebian() {
  if (!existsSync('/etc/os-release')) return false;
  return /^VERSION_CODENAME=(bookworm|trixie)$/m.test(readFileSync('/etc/os-release', 'utf8'));
}

async function installDebianPackages(parts) {
  const script = join(import.meta.dirname, 'install-debian.sh');
  const missing = (await output(script, ['--missing', ...parts])).split('\n').join(', ');
  if (missing === '') return;
  const isRoot = process.getuid() === 0;
  const asRoot = `As root, run this once:\n\n  su -c '${script} ${parts.join(' ')}'\n`;
  if (!isRoot && !findProgram('sudo')) throw new Failure(`Not installed: ${missing}.\n${asRoot}`);
  await runLogged(`Installing with apt, minutes the first time: ${missing}`, 'apt.log', script, parts, {
    advice: isRoot ? advice : `${advice}\nOr may you not use sudo? ${asRoot}`,
  });
}

function requireTools(own, parts) {
  if (!own) {
    throw new Failure(`No Emscripten ${oldestEmscripten} or later on PATH. To install one:

  git clone https://github.com/emscripten-core/emsdk
  emsdk/emsdk install latest
  emsdk/emsdk activate latest
  source emsdk/emsdk_env.sh      (Windows: emsdk\\emsdk_env.bat)

Then run this again in the same shell.`);
  }
  const packages = { cmake: 'cmake', ninja: 'ninja-build' };
  if (parts.includes('native')) Object.assign(packages, { 'c++': 'g++', 'clang++-19': 'clang-19' });
  if (parts.includes('lint'))
    Object.assign(packages, { 'clang-format-19': 'clang-format-19', 'clang-tidy-19': 'clang-tidy-19' });
  const missing = Object.keys(packages).filter((name) => !findProgram(name) && !findProgram(name.replace('-19', '')));
  if (missing.length === 0) return;
  const command = `sudo apt-get install ${missing.map((name) => packages[name]).join(' ')}`;
  throw new Failure(
    `Not on PATH: ${missing.join(', ')}. Install what is missing, where there is apt so:\n\n  ${command}\n`,
  );
}

await main(import.meta.url, async () => {
  await setup({ native: true, lint: true, browsers: true });
  console.log('All is set up.');
});
