'use client';
import { createAttention } from 'attention-wasm';
import { StrictMode, useEffect, useState } from 'react';
import { useEngine as judge } from '../use.js';

export function Attention() {
  const [mounts, setMounts] = useState(0);
  // Mounted and unmounted again by whoever tests it.
  useEffect(() => {
    globalThis.remount = () => setMounts((count) => count + 1);
  }, []);
  return (
    <StrictMode>
      <Engine key={mounts} />
    </StrictMode>
  );
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
