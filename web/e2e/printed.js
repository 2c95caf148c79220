// The commands that pages print, run exactly as they stand (ui.md §7, 13).
import { expect } from '@playwright/test';
import { run } from './server.js';

/** Runs the lines of a page in bash, the secret typed at the prompt, and returns what the two that answer say. */
export async function runPrintedLines(page, secret) {
  const line = async (label) => (await page.getByRole('region', { name: label }).innerText()).trim();
  const answer = await run('bash', ['--norc', '-c', [
    await line('Command that reads the secret'), await line('Command that gets a token'), 'echo', await line('Command that uses a token'),
  ].join('\n')], { input: `${secret}\n`, env: { PATH: process.env.PATH } });
  expect(answer.stderr).toBe('');
  return answer.stdout.trim().split('\n').map((text) => JSON.parse(text));
}
