'use client';
import { useEffect } from 'react';

export default function Page() {
  useEffect(() => {
    import('../../remote.js');
  }, []);
  return <p>in a worker</p>;
}
