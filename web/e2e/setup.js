// Before all tests: one server of the demonstration behind the recorder, for the whole run. After all: both end, and
// everything they wrote is removed. Tests find them through the variable CREDENZA_E2E.
import { join } from 'node:path';
import { Recorder } from './recorder.js';
import { freeAddress, Server } from './server.js';

export default async function setup() {
  const [target, admin] = [await freeAddress(), await freeAddress()];
  let recorder;
  const server = await Server.start(async (dir) => {
    recorder = await Recorder.listen(join(dir, 'record'));
    recorder.target = target;
    return { CREDENZA_ADDR: target, CREDENZA_ADMIN_ADDR: admin, CREDENZA_PUBLIC_URL: recorder.url };
  });
  process.env.CREDENZA_E2E = JSON.stringify({
    dir: server.dir, env: server.env, url: server.url, admin: `http://${admin}`, pid: server.pid, record: join(server.dir, 'record'),
  });
  return async () => {
    await server.remove();
    await recorder.close();
  };
}
