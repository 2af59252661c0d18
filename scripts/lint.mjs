// Formatting, static analysis and types: npm run lint
import { globSync, readdirSync } from 'node:fs';
import { run } from './lib/run.mjs';
