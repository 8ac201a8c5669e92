import { defineConfig } from 'vitest/config';

export default defineConfig({
  esbuild: { jsx: 'automatic' },
  test: {
    include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
    // What a test leaves behind must not reach the next one.
    restoreMocks: true,
    unstubGlobals: true,
  },
});
