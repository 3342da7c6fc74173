import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

/** A real nginx on loopback with the configuration of docs/serving.md. */
export interface Nginx {
  /** The URL of the folder that holds repositories as `repo`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts it for a folder with a repository named `repo`; `work` is a folder for its own files. */
export async function startNginx(folder: string, work: string): Promise<Nginx> {
  const port = await freePort();
  const text = readFileSync(new URL('../../docs/serving.md', import.meta.url), 'utf8');
  const block = /```nginx\n(.*?)```/s.exec(text)?.[1] ?? '';
  const server = block
    .replace('listen 80;', `listen 127.0.0.1:${port};`)
    .replace('root /srv/pine;', `root ${folder};`);
  mkdirSync(work, { recursive: true });
  writeFileSync(
    join(work, 'nginx.conf'),
    `daemon off; master_process off; pid ${work}/pid; error_log ${work}/error.log;
events {}
http {
  access_log off;
  client_body_temp_path ${work}/body; proxy_temp_path ${work}/proxy; fastcgi_temp_path ${work}/f;
  uwsgi_temp_path ${work}/u; scgi_temp_path ${work}/s;
${server}}
`,
  );
  const nginx = spawn('nginx', ['-c', join(work, 'nginx.conf'), '-p', work], {
    stdio: 'ignore',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; ; attempt += 1) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer !== undefined) break;
    if (attempt > 200 || nginx.exitCode !== null) throw new Error('nginx did not start');
    await sleep(50);
  }
  return {
    url,
    async stop() {
      nginx.kill();
      if (nginx.exitCode === null && nginx.signalCode === null) await once(nginx, 'exit');
    },
  };
}
