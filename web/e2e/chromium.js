import { existsSync } from 'node:fs';

// chromium returns the path of the machine's Chromium: $CHROMIUM, or where distributions install it.
export function chromium() {
  const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const found = places.find((path) => path && existsSync(path));
  if (!found) {
    throw new Error('No Chromium found. Install the package chromium, or name the program in the variable CHROMIUM.');
  }
  return found;
}
