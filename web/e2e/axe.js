// What axe finds on a page, in light and dark, at three widths.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from '@playwright/test';

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
// A theme changes colours and nothing else, and colours are what takes axe the longest.
const colours = { runOnly: ['color-contrast', 'link-in-text-block'] };
const views = [
  ['light', 1280, {}], ['light', 390, {}], ['light', 320, { rules: { 'color-contrast': { enabled: false } } }],
  ['dark', 1280, colours], ['dark', 390, colours],
];

/** Runs every rule of axe on the page as it stands, in each theme and width. */
export async function inspect(page, name) {
  if (!await page.evaluate(() => 'axe' in globalThis)) await page.evaluate(axe);
  const faults = [];
  for (const [colorScheme, width, rules] of views) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 900 });
    const found = await page.evaluate(async (options) => {
      const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'], ...options });
      const { scrollWidth, clientWidth } = document.documentElement;
      return [
        ...violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' | ')}`),
        ...scrollWidth > clientWidth ? [`scrolls sideways by ${scrollWidth - clientWidth} px`] : [],
      ];
    }, rules);
    faults.push(...found.map((fault) => `${name}, ${colorScheme}, ${width} px: ${fault}`));
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  expect(faults).toEqual([]);
}
