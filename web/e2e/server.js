// Starts and stops bin/credenza for tests, in a directory of its own, as `make run` would: `serve --demo`.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// CREDENZA_BINARY judges another build than the one of `make build`.
export const binary = process.env.CREDENZA_BINARY ?? fileURLToPath(new URL('../../bin/credenza', import.meta.url));

const startTimeout = 30_000;
const stopTimeout = 30_000;

/** A password that anybody can see is none, and that no two runs share. */
export const fakePassword = () => `no real password ${randomBytes(6).toString('hex')}`;

/** An address on loopback that nobody listens on. */
export async function freeAddress() {
  const probe = createServer();
  await new Promise((resolve) => { probe.listen(0, '127.0.0.1', resolve); });
  const { port } = probe.address();
  await new Promise((resolve) => { probe.close(resolve); });
  return `127.0.0.1:${port}`;
}

/** Runs a program and collects what it prints. input goes to its standard input. */
export async function run(program, args, { input = '', ...options } = {}) {
  const child = spawn(program, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => { printed[name] += text; });
  }
  child.stdin.on('error', () => {}); // a program that reads no input closes it
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, ...printed };
}

/** Runs a command of the binary beside a server, on the same database and key. With --json the document is parsed. */
export async function command({ dir, env }, ...args) {
  const done = await run(binary, args, { cwd: dir, env });
  if (done.code !== 0) throw new Error(`credenza ${args.join(' ')} ended with ${done.code}:\n${done.stderr}`);
  return args.includes('--json') ? JSON.parse(done.stdout) : done.stdout;
}

export class Server {
  dir; // working directory: ./data holds the database, ./tmp temporary files, ./out what the process printed
  env; // of the process and of commands beside it
  url; // what the process calls its address, without a slash at the end
  printed = { stdout: '', stderr: '' };
  #child;

  /**
   * Serves the demonstration; resolves when the portal has said where it is. settings(dir) returns further variables of
   * the environment.
   */
  static async start(settings = () => ({})) {
    if (!existsSync(binary)) throw new Error(`${binary} is missing; run make build`);
    const server = new Server();
    server.dir = mkdtempSync(join(tmpdir(), 'credenza-e2e-'));
    for (const sub of ['tmp', 'home', 'key', 'out']) mkdirSync(join(server.dir, sub), { mode: 0o700 });
    server.env = {
      PATH: process.env.PATH,
      HOME: join(server.dir, 'home'),
      TMPDIR: join(server.dir, 'tmp'),
      CREDENZA_ADDR: '127.0.0.1:0',
      CREDENZA_ADMIN_ADDR: '127.0.0.1:0',
      CREDENZA_GATEWAY_ADDR: '127.0.0.1:0',
      CREDENZA_MASTER_KEY_FILE: join(server.dir, 'key', 'master.key'),
      CREDENZA_DEMO_PASSWORD: fakePassword(),
      ...await settings(server.dir),
    };
    try {
      await server.#serve();
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  get pid() { return this.#child.pid; }

  async #serve() {
    const child = this.#child = spawn(binary, ['serve', '--demo'], {
      cwd: this.dir, env: this.env, stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => {
        this.printed[name] += text;
        writeFileSync(join(this.dir, 'out', name), text, { flag: 'a' });
      });
    }
    child.on('exit', (code, signal) => writeFileSync(join(this.dir, 'out', 'exit'), String(code ?? signal)));
    const told = () => /^Credenza is at (https?:\S+)$/m.exec(this.printed.stdout);
    const limit = AbortSignal.timeout(startTimeout);
    while (!told()) {
      if (child.exitCode !== null) throw new Error(`credenza serve ended with ${child.exitCode}:\n${this.printed.stderr}`);
      if (limit.aborted) throw new Error(`credenza serve said no address:\n${this.printed.stdout}${this.printed.stderr}`);
      await Promise.race([once(child.stdout, 'data', { signal: limit }), once(child, 'exit', { signal: limit })]).catch(() => {});
    }
    [, this.url] = told();
  }

  /** Asks the process to end, waits, and returns its exit code. */
  async stop() {
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), stopTimeout);
      await ended;
      clearTimeout(kill);
    }
    return child.exitCode;
  }

  /** Ends the process and removes everything it stored. */
  async remove() {
    if (this.#child) await this.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
