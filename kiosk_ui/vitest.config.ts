import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [vue()],
  define: { __BUILD__: JSON.stringify('test') },
  test: { environment: 'happy-dom', include: ['tests/**/*.spec.ts'], setupFiles: ['tests/setup.ts'] },
});
