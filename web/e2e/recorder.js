// A reverse proxy between every client and bin/credenza that writes down each request and answer, byte by byte, so that
// the last tests can look for secrets, headers and reports in all that was ever said. The product's public URL is the
// address of the proxy, as behind any proxy.
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';

const collect = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
};

/** [name, value, name, value] as an object of lower-case names and lists of values. */
const byName = (raw) => {
  const headers = {};
  for (let i = 0; i < raw.length; i += 2) (headers[raw[i].toLowerCase()] ??= []).push(raw[i + 1]);
  return headers;
};

export class Recorder {
  url;
  target; // host:port of the product
  #dir;
  #server;
  #agent = new http.Agent({ keepAlive: true });
  #count = 0;

  static async listen(dir) {
    const recorder = new Recorder();
    recorder.#dir = dir;
    mkdirSync(join(dir, 'bodies'), { recursive: true, mode: 0o700 });
    recorder.#server = http.createServer((request, answer) => {
      recorder.#pass(request, answer).catch((error) => answer.destroy(error));
    });
    await new Promise((resolve) => { recorder.#server.listen(0, '127.0.0.1', resolve); });
    recorder.url = `http://127.0.0.1:${recorder.#server.address().port}`;
    return recorder;
  }

  async close() {
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await new Promise((resolve) => { this.#server.close(resolve); });
  }

  async #pass(request, answer) {
    const sent = await collect(request);
    const [host, port] = this.target.split(':');
    const onward = http.request({
      host, port, agent: this.#agent, method: request.method, path: request.url, headers: request.rawHeaders,
    });
    onward.end(sent);
    const reply = await new Promise((resolve, reject) => { onward.on('response', resolve).on('error', reject); });
    const body = await collect(reply);
    this.#write(request, sent, reply, body);
    const headers = [];
    for (let i = 0; i < reply.rawHeaders.length; i += 2) {
      const name = reply.rawHeaders[i];
      if (!/^(transfer-encoding|connection|keep-alive|content-length)$/i.test(name)) headers.push(name, reply.rawHeaders[i + 1]);
    }
    const length = request.method === 'HEAD' ? reply.headers['content-length'] : String(body.length);
    if (length !== undefined && reply.statusCode !== 204 && reply.statusCode !== 304) headers.push('Content-Length', length);
    answer.writeHead(reply.statusCode, reply.statusMessage, headers);
    answer.end(body);
  }

  #write(request, sent, reply, body) {
    const entry = {
      n: this.#count += 1, method: request.method, url: request.url, requestHeaders: byName(request.rawHeaders),
      requestBody: this.#keep(sent), status: reply.statusCode, headers: byName(reply.rawHeaders), body: this.#keep(body),
    };
    appendFileSync(join(this.#dir, 'exchanges.jsonl'), `${JSON.stringify(entry)}\n`);
  }

  #keep(bytes) {
    const name = createHash('sha256').update(bytes).digest('hex');
    const path = join(this.#dir, 'bodies', name);
    if (!existsSync(path)) writeFileSync(path, bytes);
    return name;
  }
}

/**
 * Every exchange written down so far, oldest first. text and sent are the bodies of answer and request, one character for
 * each byte.
 */
export function exchanges(dir) {
  const bodies = new Map();
  const read = (name) => {
    if (!bodies.has(name)) bodies.set(name, readFileSync(join(dir, 'bodies', name), 'latin1'));
    return bodies.get(name);
  };
  return readFileSync(join(dir, 'exchanges.jsonl'), 'utf8').split('\n').filter(Boolean).map((line) => {
    const entry = JSON.parse(line);
    return {
      ...entry,
      path: entry.url.split('?')[0],
      name: `${entry.method} ${entry.url} ${entry.status}`,
      header: (name) => (entry.headers[name] ?? []).join(', '),
      get text() { return read(entry.body); },
      get sent() { return read(entry.requestBody); },
    };
  });
}
