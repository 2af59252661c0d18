import { core, wrapper } from './mutation.mjs';

/** Of KV caches and of stored types. */
export function inCaches() {
  const cache = (file, name, find, replace) => core(`src/attention/${file}`, name, find, replace, ['[cache]']);
  const store = 'src/kernels/store_row.hpp';
  const plain = ['kv-cache.test.ts'];
  return [
    cache(
      'kv_cache.cpp',
      'cache: takes one key too many',
      'added > config_.capacity - length_',
      'added > config_.capacity - length_ + 1',
    ),
    cache('kv_cache.cpp', 'cache: a shared page is written', 'ownersOf(page) == 1', 'ownersOf(page) >= 1'),
    cache(
      'kv_cache.cpp',
      'cache: evicts one key more',
      'heldFrom_, length_ - others)',
      'heldFrom_, length_ - others + 1)',
    ),
    cache('kv_cache.cpp', 'cache: truncated positions stay evicted', 'heldFrom_ = std::min(heldFrom_, length);', ''),
    cache('kv_cache.cpp', 'cache: reorder does nothing', 'from[static_cast<size_t>(batch[entry])]', 'from[entry]'),
    cache(
      'kv_cache.cpp',
      'cache: values in the place of keys',
      'b, h, s, layout_.valuesAt, layout_.valueScalesAt',
      'b, h, s, 0, layout_.keyScalesAt',
    ),
    cache(
      'kv_cache.cpp',
      'cache: new places of the table are not cleared',
      'if (places > places_) std::fill',
      'if (places > room_) std::fill',
    ),
    cache('kv_pages.hpp', 'cache: owners are not counted', '++ownersOf(page);', 'ownersOf(page) += 0;'),
    cache(
      'kv_cache.cpp',
      'cache: a copied page is empty',
      'if (page != nullptr) std::memcpy(own, page, pageBytes_);',
      '',
    ),
    cache(
      'kv_cache.cpp',
      'cache: pages before the window stay',
      'if (count == 0) return;',
      'if (layout_.rows != count) return;',
    ),
    cache(
      'kv_cache.cpp',
      'cache: rows that are gone keep their number',
      'layout_.gone += count;',
      'layout_.gone += 0;',
    ),
    cache('kv_bytes.cpp', 'cache: a loaded stream has rows that are gone', 'layout_.gone = loaded->layout_.gone;', ''),
    cache(
      'kv_cache.cpp',
      'cache: a window taken back lacks a key',
      'length + 1 < heldFrom_ + config_.window',
      'length + 2 < heldFrom_ + config_.window',
    ),
    cache(
      'kv_bytes.cpp',
      'cache: bytes of another config are loaded',
      'if (!std::equal(own.begin() + 2, own.end() - 2, head.begin() + 2))',
      'if (own.empty())',
    ),
    ...inFaults(),
    cache(
      'kv_bytes.cpp',
      'cache: changed bytes are loaded',
      'if (sum != checksum(body))',
      'if (sum + 0 * checksum(body) != sum)',
    ),
    cache(
      'mask.cpp',
      'cache: the window is one key shorter',
      'position + 1 - static_cast<int64_t>(stream.window)',
      'position + 2 - static_cast<int64_t>(stream.window)',
    ),
    cache('mask.cpp', 'cache: sinks leave the window', ' && columns.begin >= stream.sinks', ''),
    cache(
      'query_block.hpp',
      'cache: keys are read beyond a page',
      'std::min(end, plan_.pages.endOfPage(keys.begin))',
      'end',
    ),
    core(store, 'int8: a row has the factor of 1', 'largest / 127.0f + doubt', '1.0f + doubt', ['[cache]', '[linear]']),
    wrapper(
      'kv-cache.ts',
      plain,
      'cache: attend is not causal',
      'options.causal ?? appends',
      'options.causal ?? false',
    ),
    wrapper('kv-cache.ts', plain, 'cache: queries stand at 0', '? undefined : length);', '? undefined : 0);'),
    wrapper(
      'kv-cache.ts',
      ['kv-cache-hostile.test.ts'],
      'cache: a rule may change it',
      'if (this.length === length) return address;',
      'if (length >= 0) return address;',
    ),
  ];
}

/** Where memory runs out. */
function inFaults() {
  const fault = (file, name, find, replace) => core(`src/${file}`, `fault: ${name}`, find, replace, ['[faults]']);
  return [
    fault(
      'attention/kv_cache.cpp',
      'a failed call keeps its pages',
      'if (!status.ok()) {\n    end(0);',
      'if (!status.ok()) {',
    ),
    fault('attention/query_block.hpp', 'what is not there is used', ' && values_ && output_ && state_;', ';'),
    fault('attention/kv_cache.cpp', 'a page that is not there is used', 'if (own == nullptr) return false;', ''),
    fault(
      'layers/rotary.cpp',
      'angles that are not there are used',
      'if (!angles.allocate(arena)) return outOfMemory("");',
      'static_cast<void>(angles.allocate(arena));',
    ),
    fault(
      'runtime/output.cpp',
      'a result that is not there is used',
      'if (room == nullptr) return outOfMemory(blamed);',
      '',
    ),
  ];
}
