import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Box } from '../attention/arcs';
import { rowOf } from '../attention/pairs';
import { pieceText, words } from '../attention/tokens';
import {
  head,
  lock,
  lockedPair,
  marked,
  matrix,
  pair,
  point,
  pointNowhere,
  separatorsHidden,
  strongestKey,
  unlock,
  view,
} from '../state';
import { Arcs } from './Arcs';
import { moveFocus } from './roving';

/** More tokens than this are set smaller and closer. */
const roomyTokens = 40;

/** The sentence as tokens, with the arcs of the token in question. */
export function TokenView() {
  const { tokens } = view.value;
  const { layer, head: index } = head.value;
  return (
    <section class="tokens" aria-labelledby="tokens-title">
      <div class="panel-head">
        <h2 id="tokens-title">
          Layer {layer}, head {index}
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
      </div>
      {tokens.length > 0 ? (
        <TokenLine />
      ) : (
        <p class="empty">The tokens of your text appear here, joined by where this head looks.</p>
      )}
    </section>
  );
}

function TokenLine() {
  const { tokens } = view.value;
  const container = useRef<HTMLDivElement>(null);
  const boxes = useBoxes(container, tokens);
  const { query, key } = marked.value ?? { query: 0, key: 0 };
  const row = rowOf(matrix.value, tokens.length, query);
  const locked = lockedPair.value;
  const tabStop = locked?.query ?? 0;

  useInSight(container, boxes[pair.value?.query ?? 0]);

  const toggle = (token: number) => {
    if (locked?.query === token) unlock();
    else lock({ query: token, key: strongestKey(token) });
  };

  return (
    <div class="token-scroll">
      <div
        ref={container}
        class="token-line"
        role="toolbar"
        aria-label="Tokens"
        data-testid="tokens"
        data-dense={tokens.length > roomyTokens}
        onKeyDown={moveFocus}
        onPointerLeave={pointNowhere}
        onFocusOut={pointNowhere}
      >
        <Arcs boxes={boxes} active={query} target={key} />
        {words(tokens).map((pieces) => (
          <span class="word" key={pieces[0]}>
            {pieces.map((i) => (
              <button
                type="button"
                key={i}
                class="token"
                data-index={i}
                data-role={i === query ? 'query' : i === key ? 'key' : undefined}
                tabIndex={i === tabStop ? 0 : -1}
                aria-pressed={locked?.query === i}
                aria-label={tokens[i]}
                style={{ '--weight': row[i] }}
                onPointerEnter={() => point(i)}
                onFocus={() => point(i)}
                onClick={() => toggle(i)}
              >
                {pieceText(tokens[i])}
              </button>
            ))}
          </span>
        ))}
      </div>
    </div>
  );
}

/** Where each token stands, measured again whenever the line is laid out anew. */
function useBoxes(container: { current: HTMLElement | null }, tokens: string[]): Box[] {
  const [boxes, setBoxes] = useState<Box[]>([]);
  useLayoutEffect(() => {
    const line = container.current;
    if (!line) return;
    const measure = () => setBoxes([...line.querySelectorAll<HTMLElement>('.token')].map(boxOf));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(line);
    return () => observer.disconnect();
  }, [tokens]);
  return boxes.length === tokens.length ? boxes : [];
}

/** A long text is scrolled to the token it is about. */
function useInSight(container: { current: HTMLElement | null }, box: Box | undefined): void {
  const top = box?.top;
  useLayoutEffect(() => {
    const frame = container.current?.parentElement;
    if (!frame || !box || top === undefined) return;
    const isInSight = top >= frame.scrollTop && top + box.height <= frame.scrollTop + frame.clientHeight;
    if (!isInSight) frame.scrollTop = top - (frame.clientHeight - box.height) / 2;
  }, [container, box, top]);
}

const boxOf = ({ offsetLeft, offsetTop, offsetWidth, offsetHeight }: HTMLElement): Box => ({
  left: offsetLeft,
  top: offsetTop,
  width: offsetWidth,
  height: offsetHeight,
});
