// How the browser tests run. They judge bin/credenza as a black box, with the Chromium of the machine: Playwright's own
// browsers are never downloaded.
import { defineConfig } from '@playwright/test';
import { chromium } from './chromium.js';

const ci = Boolean(process.env.CI);

export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.js',
  outputDir: 'test-results',
  forbidOnly: ci,
  retries: 0, // a test that passes at the second try hides a fault
  workers: 1, // two cores: one for the browser, one for the server
  timeout: 30_000,
  expect: { timeout: 5_000 },
  reporter: [['list'], ['./reporter.js']],
  use: {
    launchOptions: {
      executablePath: chromium(),
      args: ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync', '--disable-component-update'],
    },
    locale: 'en-GB',
    timezoneId: 'UTC',
    viewport: { width: 1280, height: 800 },
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
  },
  projects: [
    { name: 'scripts', use: { javaScriptEnabled: true } },
    { name: 'no-scripts', grep: /@plain/, use: { javaScriptEnabled: false } },
  ],
});
