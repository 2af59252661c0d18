'use client';
import { createAttention } from 'attention-wasm';
import { StrictMode, useEffect, useState } from 'react';
import { useEngine as judge } from '../use.js';

export function Attention() {
  const [mount, setMount] = useState(0);
  // A test mounts another one, or none.
  useEffect(() => {
    globalThis.setMount = setMount;
  }, []);
  return <StrictMode>{mount === null ? 'unmounted' : <Engine key={mount} />}</StrictMode>;
}

/** Strict mode mounts twice: the first engine is given up while it loads. */
function Engine() {
  const [variant, setVariant] = useState();
  useEffect(() => {
    const controller = new AbortController();
    let engine;
    createAttention({ signal: controller.signal }).then(
      (made) => {
        engine = made;
        globalThis.result = judge(engine);
        globalThis.loaded = (globalThis.loaded ?? 0) + 1;
        setVariant(engine.info.variant);
      },
      (error) => {
        if (error.code !== 'ABORTED') globalThis.result = { error: String(error) };
      },
    );
    return () => {
      controller.abort();
      engine?.dispose();
    };
  }, []);
  return <p>{variant ?? 'loading'}</p>;
}
