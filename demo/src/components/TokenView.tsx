import { useComputed } from '@preact/signals';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Box } from '../attention/arcs';
import { pieceText, words } from '../attention/tokens';
import { rowOf } from '../attention/weights';
import {
  lock,
  locked,
  lockedPair,
  locksSeveral,
  marked,
  pair,
  point,
  pointNowhere,
  strongestKeyOf,
  unlock,
} from '../state/pairs';
import { lensKind, separatorsHidden, weighting } from '../state/request';
import { head, isEmpty, reading } from '../state/shown';
import { Arcs } from './Arcs';
import { moveFocus } from './roving';

/** More tokens than this are set smaller and closer. */
const roomyTokens = 40;
/** Of a longer text the tokens around the one in question. */
const mostTokens = 256;

/** Of steps that can be seen: styles are reckoned anew only where one changes. */
const shade = (weight: number) => Math.round(weight * 50) / 50;

/** The sentence as tokens, with the arcs of the token in question. */
export function TokenView() {
  const { layer, head: index, lens } = head.value;
  return (
    <section class="tokens" aria-labelledby="tokens-title">
      <div class="panel-head">
        <h2 id="tokens-title">
          {lens.kind === 'rollout' ? `Rollout, layers 0 to ${layer}` : `Layer ${layer}, head ${index}`}
        </h2>
        <span class="key">
          <svg viewBox="0 0 16 8" width="16" height="8" aria-hidden="true">
            <path class="arc" d="M0 4h16" stroke-width="3" />
          </svg>
          attends to
        </span>
        <span class="key">
          <svg viewBox="0 0 16 8" width="16" height="8" aria-hidden="true">
            <path class="arc arc-incoming" d="M0 4h16" stroke-width="2" />
          </svg>
          attended by
        </span>
        <Controls />
      </div>
      {isEmpty.value ? (
        <p class="empty">The tokens of your text appear here, joined by where this head looks.</p>
      ) : (
        <TokenLine />
      )}
    </section>
  );
}

function Controls() {
  const shown = lensKind.value === 'rollout' ? 'rollout' : weighting.value;
  return (
    <span class="controls">
      <label class="check">
        <input
          type="checkbox"
          checked={locksSeveral.value}
          onChange={(event) => {
            locksSeveral.value = event.currentTarget.checked;
          }}
        />
        lock several
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={separatorsHidden.value}
          onChange={(event) => {
            separatorsHidden.value = event.currentTarget.checked;
          }}
        />
        hide [CLS], [SEP]
        {separatorsHidden.value && <em>rows renormalised</em>}
      </label>
      <select
        class="select"
        aria-label="Shown"
        value={shown}
        onChange={({ currentTarget: { value } }) => {
          lensKind.value = value === 'rollout' ? 'rollout' : 'heads';
          weighting.value = value === 'value' ? 'value' : 'attention';
        }}
      >
        <option value="attention">weights α</option>
        <option value="value">share of ‖α·v‖</option>
        <option value="rollout">rollout over layers</option>
      </select>
    </span>
  );
}

function TokenLine() {
  const { tokens } = reading.value;
  const container = useRef<HTMLDivElement>(null);
  const range = useComputed(() => rangeOf(head.value.range, pair.value?.query ?? 0)).value;
  const boxes = useBoxes(container, tokens, range);
  const active = marked.value ?? { query: range[0], key: range[0] };
  const row = rowOf(head.value, active.query);
  const tabStop = lockedPair.value?.query ?? range[0];
  const lockedQueries = new Set(locked.value.map(({ query }) => query));
  const [first, last] = head.value.range;

  useInSight(container, boxes[(pair.value?.query ?? range[0]) - range[0]]);

  const toggle = (token: number, several: boolean) => {
    if (lockedQueries.has(token)) unlock(token);
    else lock({ query: token, key: strongestKeyOf(token) }, several || undefined);
  };
  const jump = (token: number) => lock({ query: token, key: strongestKeyOf(token) });

  return (
    <div class="token-scroll">
      <div
        ref={container}
        class="token-line"
        role="toolbar"
        aria-label="Tokens"
        data-testid="tokens"
        data-dense={range[1] - range[0] > roomyTokens}
        onKeyDown={moveFocus}
        onPointerLeave={pointNowhere}
        onFocusOut={pointNowhere}
      >
        <Arcs boxes={boxes} first={range[0]} active={active} />
        {range[0] > first && (
          <button type="button" class="token-more" tabIndex={-1} onClick={() => jump(range[0] - 1)}>
            {range[0] - first} before
          </button>
        )}
        {words(tokens, range).map((pieces) => (
          <span class="word" key={pieces[0]}>
            {pieces.map((i) => (
              <button
                type="button"
                key={i}
                class="token"
                data-index={i}
                data-role={i === active.query ? 'query' : i === active.key ? 'key' : undefined}
                tabIndex={i === tabStop ? 0 : -1}
                aria-pressed={lockedQueries.has(i)}
                aria-label={tokens[i]}
                style={{ '--weight': shade(row[i]) }}
                onPointerEnter={() => point(i)}
                onFocus={() => point(i)}
                onClick={(event) => toggle(i, event.shiftKey)}
              >
                {pieceText(tokens[i])}
              </button>
            ))}
          </span>
        ))}
        {range[1] < last && (
          <button type="button" class="token-more" tabIndex={-1} onClick={() => jump(range[1])}>
            {last - range[1]} after
          </button>
        )}
      </div>
    </div>
  );
}

/** The page of tokens with the one in question. */
function rangeOf([from, to]: readonly [number, number], token: number): readonly [number, number] {
  if (to - from <= mostTokens) return [from, to];
  const start = from + Math.floor((token - from) / mostTokens) * mostTokens;
  return [start, Math.min(to, start + mostTokens)];
}

/** Where each token stands, measured again whenever the line is laid out anew. */
function useBoxes(
  container: { current: HTMLElement | null },
  tokens: readonly string[],
  [from, to]: readonly [number, number],
): Box[] {
  const [boxes, setBoxes] = useState<Box[]>([]);
  useLayoutEffect(() => {
    const line = container.current;
    if (!line) return;
    setBoxes(boxesOf(line));
    let isFirst = true;
    const observer = new ResizeObserver(() => {
      // The first call only tells the size that was just measured.
      if (!isFirst) setBoxes(boxesOf(line));
      isFirst = false;
    });
    observer.observe(line);
    return () => observer.disconnect();
  }, [tokens, from, to]);
  return boxes.length === to - from ? boxes : [];
}

/** A long text is scrolled to the token it is about. */
function useInSight(container: { current: HTMLElement | null }, box: Box | undefined): void {
  const { top, height } = box ?? {};
  useLayoutEffect(() => {
    const line = container.current?.parentElement;
    if (!line || top === undefined || height === undefined) return;
    // In the frame itself, whose layout is then the only one.
    const frame = requestAnimationFrame(() => {
      const isInSight = top >= line.scrollTop && top + height <= line.scrollTop + line.clientHeight;
      if (!isInSight) line.scrollTop = top - (line.clientHeight - height) / 2;
    });
    return () => cancelAnimationFrame(frame);
  }, [container, top, height]);
}

const boxesOf = (line: HTMLElement) => [...line.querySelectorAll<HTMLElement>('.token')].map(boxOf);

const boxOf = ({ offsetLeft, offsetTop, offsetWidth, offsetHeight }: HTMLElement): Box => ({
  left: offsetLeft,
  top: offsetTop,
  width: offsetWidth,
  height: offsetHeight,
});
