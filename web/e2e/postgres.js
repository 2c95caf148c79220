// A PostgreSQL of a test's own: a directory, a Unix socket, no network. As root it runs as the user postgres.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { run } from './server.js';

const startTimeout = 30_000;
const installed = '/usr/lib/postgresql';

/** The directory of the newest PostgreSQL's programs. */
const programs = () => join(installed, readdirSync(installed).toSorted((a, b) => Number(b) - Number(a))[0], 'bin');

/** User and group to run as, undefined when not root. */
async function owner() {
  if (process.getuid() !== 0) return undefined;
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async (which) => Number((await run('id', [which, 'postgres'])).stdout)));
  return { uid, gid };
}

/**
 * Runs a server while use({ url, dir }) runs. url is that of an empty database, with a password in it that the server
 * does not ask for; everything it keeps, its log too, stands below dir.
 */
export async function withPostgres(password, use) {
  const dir = mkdtempSync(join(tmpdir(), 'credenza-pg-e2e-'));
  const as = await owner();
  if (as) chownSync(dir, as.uid, as.gid);
  chmodSync(dir, 0o700);
  const options = { cwd: dir, ...as };
  const data = join(dir, 'data');
  let child;
  try {
    const made = await run(join(programs(), 'initdb'), ['-D', data, '-U', 'credenza', '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C.UTF-8'], options);
    if (made.code !== 0) throw new Error(`initdb: ${made.stderr}`);
    const settings = ['listen_addresses=', 'fsync=off', 'logging_collector=on', 'log_directory=../log', 'log_min_messages=info'];
    child = spawn(join(programs(), 'postgres'), ['-D', data, '-k', dir, ...settings.flatMap((setting) => ['-c', setting])], { ...options, stdio: 'ignore' });
    const ready = async () => (await run(join(programs(), 'pg_isready'), ['-h', dir, '-U', 'credenza', '-q'])).code === 0;
    for (let waited = 0; !await ready(); waited += 100) {
      if (child.exitCode !== null || waited > startTimeout) throw new Error('PostgreSQL does not start');
      await pause(100);
    }
    return await use({ url: `postgres:///postgres?host=${dir}&user=credenza&password=${password}`, dir });
  } finally {
    if (child?.exitCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGINT'); // fast shutdown: sessions are ended
      await ended;
    }
    rmSync(dir, { recursive: true, force: true });
  }
}
