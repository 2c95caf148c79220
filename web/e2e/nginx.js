// A real reverse proxy in front of bin/credenza, as operators put it there.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const startTimeout = 10_000;

const settings = (listen, target) => `
daemon off; master_process off; pid pid; error_log error.log;
events { worker_connections 64; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((what) => `${what}_temp_path ${what};`).join(' ')}
  server {
    listen ${listen};
    location / {
      proxy_pass http://${target};
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`;

/** Runs nginx at listen before target while use() runs. It adds its peer to X-Forwarded-For, as nginx's manual has it. */
export const withNginx = ({ listen, target }, use) => withNginxConfig(settings(listen, target), use);

/** Runs nginx with a configuration, whose paths are relative, while use() runs. */
export async function withNginxConfig(text, use) {
  const dir = mkdtempSync(join(tmpdir(), 'credenza-nginx-'));
  const [, pid] = /^\s*(?:.*; )?pid ([^;/]+);/m.exec(text);
  writeFileSync(join(dir, 'nginx.conf'), text);
  const child = spawn('/usr/sbin/nginx', ['-p', dir, '-c', 'nginx.conf', '-e', join(dir, 'error.log')], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  try {
    for (let waited = 0; !existsSync(join(dir, pid)); waited += 50) {
      if (child.exitCode !== null || waited > startTimeout) throw new Error('nginx does not start');
      await pause(50);
    }
    return await use();
  } finally {
    child.kill('SIGTERM');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  }
}
