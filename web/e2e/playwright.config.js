// How the browser tests run. They judge bin/credenza as a black box, with the Chromium of the machine: Playwright's own
// browsers are never downloaded.
import { defineConfig } from '@playwright/test';
import { chromium } from './chromium.js';

export default defineConfig({
  testDir: '.',
  outputDir: 'test-results',
  globalSetup: './setup.js', // one server for the whole run
  forbidOnly: Boolean(process.env.CI),
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
    trace: 'off', // it doubles the time; --trace retain-on-failure writes one
  },
  projects: [
    { name: 'first', testMatch: 'first.js', teardown: 'last' }, // who signs in; what lists are filled with
    { name: 'scripts', testMatch: '*.spec.js', dependencies: ['first'] },
    { name: 'no-scripts', testMatch: '*.spec.js', grep: /@plain/, dependencies: ['first'], use: { javaScriptEnabled: false } },
    { name: 'last', testMatch: 'last.js' }, // looks at all that was said, logged and stored, also after a failure
  ],
});
