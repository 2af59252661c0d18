import { takeCoverage } from 'node:v8';
import { afterAll } from 'vitest';

// A worker of Vitest is ended before it could write by itself.
afterAll(() => takeCoverage());
