// The table of pages, read where the product has it, so that no page is forgotten.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const web = fileURLToPath(new URL('../', import.meta.url));
const source = readdirSync(web).filter((name) => name.endsWith('.go')).map((name) => readFileSync(web + name, 'utf8')).join('\n');

/** Paths are texts, constants and sums of both. */
function path(expression) {
  return expression.split(' + ').map((part) => {
    if (part.startsWith('"')) return JSON.parse(part);
    const [, value] = new RegExp(`\\b${part}\\s*=\\s*([^\\n/]*"[^"\\n]*"|\\w+ \\+ "[^"\\n]*")`).exec(source) ?? [];
    if (!value) throw new Error(`web/routes.go: ${part} is no text that routes.js can find`);
    return path(value.trim());
  }).join('');
}

/** The path of every page that GET answers, parameters as :name. */
export const pages = [...source.matchAll(/\{http\.MethodGet, ([^,]+), "[^"]+", \w/g)].map(([, expression]) => path(expression))
  .filter((one) => !one.startsWith('/api/v1/')); // JSON, for programs
if (pages.length < 30) throw new Error(`routes.js reads only ${pages.length} pages in web/routes.go`);

/** Tells whether a path is of a route; a route without parameters is preferred to one with. */
export function isOf(route, address) {
  const [at] = address.split('?');
  const fits = (pattern) => new RegExp(`^${pattern.replaceAll(/:\w+/g, '[^/]+')}$`).test(at);
  return fits(route) && !(route.includes(':') && pages.some((other) => other !== route && fits(other) && other.split(':').length < route.split(':').length));
}
