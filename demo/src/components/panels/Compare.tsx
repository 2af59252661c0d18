import { current, pinned, pinView, unpin } from '../../state/compare';
import { isEmpty } from '../../state/shown';
import { Changes } from '../Changes';
import { Sides } from '../Sides';
import { WhatIf } from '../WhatIf';

/** A view that was kept beside the one on screen, and what the model does without some of its heads. */
export function Compare() {
  return (
    <>
      <div class="panel-head">
        <span>{pinned.value ? 'Pinned as A' : 'Two views'}</span>
        {pinned.value && (
          <button type="button" class="button" onClick={unpin}>
            Unpin
          </button>
        )}
      </div>
      {pinned.value ? (
        <>
          <Sides a={pinned.value} b={current.value} />
          <Changes />
        </>
      ) : (
        <div class="invitation">
          <p>
            Keep what is on screen as A. Then change the text, a mask, the model or the head: that is B, and the matrix
            shows A, B and what B has more.
          </p>
          <button type="button" class="button" disabled={isEmpty.value} onClick={pinView}>
            Pin this view as A
          </button>
        </div>
      )}
      <WhatIf />
    </>
  );
}
