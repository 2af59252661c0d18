import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';

const require = createRequire(import.meta.url);
const libraries = {
  ES2022: ['use.ts', 'forms.ts', 'worker.ts', 'either.ts'],
  'ES2022,DOM': ['use.ts', 'dom.ts', 'worker.ts', 'either.ts'],
  'ES2022,DOM,ESNext.Disposable': ['use.ts', 'dom.ts', 'using.ts'],
};

describe.each(['typescript', 'typescript-5.7'])('%s', (compiler) => {
  const tsc = join(dirname(require.resolve(`${compiler}/package.json`)), 'bin/tsc');
  const { version } = require(`${compiler}/package.json`);

  describe.each(['bundler', 'nodenext'])('moduleResolution %s', (resolution) => {
    test.each(Object.entries(libraries))(`the types compile in ${version} with lib %s`, (lib, files) => {
      const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'ES2022', '--lib', lib];
      const modules = ['--module', resolution === 'bundler' ? 'ESNext' : 'NodeNext', '--moduleResolution', resolution];
      const sources = files.map((file) => join('types', file));
      expect(compile([tsc, ...options, ...modules, ...sources])).toBe('');
    });
  });
});

test('no declaration says any', () => {
  const ts = require('typescript-5.7');
  const dist = join(inject('consumer'), 'node_modules/attention-wasm/dist');
  const files = readdirSync(dist, { recursive: true }).filter((name) => name.endsWith('.d.ts'));
  expect(files).toContain('worker.d.ts');
  const found = [];
  for (const name of files) {
    const source = ts.createSourceFile(name, readFileSync(join(dist, name), 'utf8'), ts.ScriptTarget.ES2022, true);
    const visit = (node) => {
      if (node.kind === ts.SyntaxKind.AnyKeyword) found.push(`${name}: ${node.parent.getText()}`);
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  expect(found).toEqual([]);
});

test('what can be called is declared as a method, which documentation lists and editors show as one', () => {
  const ts = require('typescript-5.7');
  const dist = join(inject('consumer'), 'node_modules/attention-wasm/dist');
  const entries = ['index.d.ts', 'models.d.ts', 'worker.d.ts'].map((name) => join(dist, name));
  const program = ts.createProgram(entries, {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.esnext.d.ts', 'lib.dom.d.ts'],
  });
  const checker = program.getTypeChecker();
  const exported = entries.flatMap((name) =>
    checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(name))),
  );
  // Functions among the options are the caller's: these are properties.
  const engines = exported
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
    .filter(({ flags }) => flags & ts.SymbolFlags.Interface)
    .map((symbol) => checker.getDeclaredTypeOfSymbol(symbol))
    .filter((type) => type.getProperty('dispose'));
  const callable = engines
    .flatMap((type) => type.getProperties())
    .filter((property) => checker.getTypeOfSymbol(property).getCallSignatures().length > 0);
  expect(callable.map(({ name }) => name)).toContain('scaledDotProductAttention');
  const others = callable.filter((property) => !(property.flags & ts.SymbolFlags.Method));
  expect(others.map(({ name, parent }) => `${parent.name}.${name}`)).toEqual([]);
});

/** What the compiler complains of. */
function compile(args) {
  try {
    return execFileSync(process.execPath, args, { cwd: inject('consumer'), encoding: 'utf8' });
  } catch (error) {
    return error.stdout || String(error);
  }
}
