// What two authorization servers answer to one request, reduced to what clients act on, and the list of differences that
// are known and meant. docs/conformance.md shows the list; `node differences.js` writes it there.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const list = new URL('differences.json', import.meta.url);
const page = new URL('../../docs/conformance.md', import.meta.url);
const begin = '<!-- differences: written by node web/e2e/differences.js -->\n';
const end = '<!-- end of differences -->\n';

/** The list: reasons by name, and for each request that is answered differently both answers and the reason. */
export const known = () => JSON.parse(readFileSync(list, 'utf8'));

/** What a client acts on, in one line: status, error or what was granted, challenge, caching, type. */
export function digest({ status, headers, text }) {
  const body = /^\s*\{/.test(text) ? JSON.parse(text) : {};
  const said = [
    body.error, body.access_token && `a token for ${body.scope ?? 'no scope'}`, 'active' in body && (body.active ? 'active' : 'inactive'),
  ].filter(Boolean);
  const challenge = headers['www-authenticate']?.split(' ')[0];
  const type = headers['content-type']?.split(';')[0];
  return [
    status, ...said, challenge && `challenge ${challenge}`, headers['cache-control'] ?? 'may be cached', headers.allow && `Allow ${headers.allow}`,
    type !== 'application/json' && (type ?? 'no type'),
  ].filter(Boolean).join(', ');
}

const cell = (text) => text.replaceAll('|', '\\|');

/** The list as the table of docs/conformance.md. */
export function table({ reasons, requests }) {
  const lines = ['| Request | Credenza | oidc-provider | Why |', '| --- | --- | --- | --- |'];
  for (const { request, ours, theirs, why } of requests) {
    lines.push(`| ${cell(request)} | ${cell(ours)} | ${cell(theirs)} | ${why.map((name) => reasons[name]).join(' ')} |`);
  }
  return `${lines.join('\n')}\n`;
}

/** The page with the part between the marks exchanged, or as it stands when part is not given: [before, part, after]. */
export function split(text) {
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  if (from < begin.length || to < from) throw new Error(`docs/conformance.md lacks the lines ${begin}and ${end}`);
  return [text.slice(0, from), text.slice(from, to), text.slice(to)];
}

export const readPage = () => readFileSync(page, 'utf8');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [before, , after] = split(readPage());
  writeFileSync(page, before + table(known()) + after);
}
