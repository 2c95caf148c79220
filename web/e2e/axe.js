// What axe finds on a page, in light and dark, at three widths.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from '@playwright/test';

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
// The narrowest once: a theme changes no layout.
const views = [['light', 1280], ['light', 390], ['light', 320], ['dark', 1280], ['dark', 390]];

/** Runs every rule of axe on the page as it stands, in each theme and width. */
export async function inspect(page, name) {
  if (!await page.evaluate(() => 'axe' in globalThis)) await page.evaluate(axe);
  const faults = [];
  for (const [colorScheme, width] of views) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 900 });
    const found = await page.evaluate(async () => {
      const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
      const { scrollWidth, clientWidth } = document.documentElement;
      return [
        ...violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' | ')}`),
        ...scrollWidth > clientWidth ? [`scrolls sideways by ${scrollWidth - clientWidth} px`] : [],
      ];
    });
    faults.push(...found.map((fault) => `${name}, ${colorScheme}, ${width} px: ${fault}`));
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  expect(faults).toEqual([]);
}
