import { core, wrapper } from './mutation.mjs';

/** Of which blocks are looked at: the compiled map, how it is read, and what a row of blocks sees. */
export function inThePlanner() {
  const map = (name, find, replace) => core('src/attention/block_map.cpp', `planner: ${name}`, find, replace);
  const rows = (name, find, replace) => core('src/attention/mask.cpp', `planner: ${name}`, find, replace);
  const tests = ['masks-attention.test.ts', 'masks-block-map.test.ts', 'masks-rules.test.ts'];
  const compiled = (file, name, find, replace) => wrapper(`masks/${file}`, tests, `planner: ${name}`, find, replace);
  return [
    map('runs out of order are read', 'run.begin < end ||', 'run.begin < end - 1000 ||'),
    map('patterns beyond the last are read', 'run.pattern >= patterns ||', 'run.pattern > patterns ||'),
    map('one pattern for many blocks', 'run.end == run.begin + 1;', 'run.end >= run.begin + 1;'),
    map('words behind the last are passed over', '!patterns || !rest.empty()', '!patterns'),
    map('keys beyond the last run are taken', '.end) > columns)', '.end) > columns + 1)'),
    map(
      'one row of blocks too few is enough',
      'first + rows > rowStart_.size() - 1',
      'first + rows > rowStart_.size()',
    ),
    map('a hole is full', 'own.begin > known || run.pattern', 'run.pattern'),
    map('blocks in part are full', 'own.begin > known || run.pattern != kFull', 'own.begin > known'),
    map('keys behind the last run attend', 'bias + keys.size(), masked);', 'bias + keys.size(), 0.0f);'),
    rows(
      'full by the first row',
      'visible(batch, rows.end - 1, columns).begin != columns.begin',
      'visible(batch, rows.begin, columns).begin != columns.begin',
    ),
    rows(
      'full by the last row',
      'visible(batch, rows.begin, columns).end != columns.end',
      'visible(batch, rows.end - 1, columns).end != columns.end',
    ),
    rows(
      'a block ends where its first row does',
      'visible(batch, rows.end - 1, columns).end};',
      'visible(batch, rows.begin, columns).end};',
    ),
    rows('a key mask is full', 'if (keyMask && !allAttend', 'if (keyMask && keyMask->rank() == 0 && !allAttend'),
    rows('a dense mask is full', 'if (dense) return false;', ''),
    compiled(
      'block-map.ts',
      'a full block goes on from the row above',
      'last / runWords >= (this.#rowStart.at(-1) as number)',
      'last >= 0',
    ),
    compiled('block-map.ts', 'the second half is empty', 'cover(middle, end);', ''),
    compiled(
      'block-map.ts',
      'a block that is nearly full is full',
      'count === (positions.end - positions.first) * (range.end - range.first)',
      'count >= 4000',
    ),
    compiled(
      'blocks.ts',
      'blockSparse: one row of blocks for all',
      'r <= blockOf(queries.end - 1)',
      'r <= blockOf(queries.first)',
    ),
    compiled(
      'blocks.ts',
      'blockSparse: in part is full',
      "!== expected) return 'partial'",
      "!== expected) return 'full'",
    ),
  ];
}
