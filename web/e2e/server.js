// Starts and stops bin/credenza for tests, in a directory of its own, on ports that the system chooses.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const binary = fileURLToPath(new URL('../../bin/credenza', import.meta.url));

// The one password of the people of the demonstration.
export const password = 'correct horse battery staple';

const startTimeout = 30_000;
const stopTimeout = 30_000;

export class Server {
  dir; // working directory: ./data holds the database
  url; // of the portal, without a slash at the end
  output = ''; // everything the process ever printed, also before a restart
  #process;
  #env;

  // start serves the demonstration and resolves when the portal has its address.
  static async start(env = {}) {
    if (!existsSync(binary)) throw new Error('bin/credenza is missing; run make build');
    const server = new Server();
    server.dir = mkdtempSync(join(tmpdir(), 'credenza-e2e-'));
    server.#env = {
      PATH: process.env.PATH,
      HOME: server.dir,
      CREDENZA_ADDR: '127.0.0.1:0',
      CREDENZA_ADMIN_ADDR: '127.0.0.1:0',
      CREDENZA_GATEWAY_ADDR: '127.0.0.1:0',
      CREDENZA_DEMO_PASSWORD: password,
      ...env,
    };
    await server.#serve();
    return server;
  }

  async #serve() {
    const child = spawn(binary, ['serve', '--demo'], { cwd: this.dir, env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    const begin = this.output.length;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => { this.output += text; });
    }
    const deadline = Date.now() + startTimeout;
    let found;
    while (!(found = /^Credenza is at (\S+)$/m.exec(this.output.slice(begin)))) {
      if (child.exitCode !== null) throw new Error(`credenza serve ended with ${child.exitCode}:\n${this.output}`);
      if (Date.now() > deadline) throw new Error(`credenza serve printed no address:\n${this.output}`);
      await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
    this.url = found[1];
  }

  // restart serves the same data again, at the same address.
  async restart() {
    await this.#end();
    this.#env.CREDENZA_ADDR = new URL(this.url).host;
    await this.#serve();
  }

  // stop ends the process and removes what it stored.
  async stop() {
    await this.#end();
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #end() {
    const child = this.#process;
    if (child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), stopTimeout);
    await ended;
    clearTimeout(kill);
  }

  // command runs another command of the binary beside the server, on the same database and key.
  async command(...args) {
    const child = spawn(binary, args, { cwd: this.dir, env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => { stdout += text; });
    child.stderr.setEncoding('utf8').on('data', (text) => { stderr += text; });
    const [code] = await once(child, 'close');
    return { code, stdout, stderr };
  }
}
