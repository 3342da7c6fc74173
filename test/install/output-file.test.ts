import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { writeOutputFile } from '../../src/install/output-file.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';

const folder = temporaryFolder();
let here = '';
let count = 0;
const at = (name: string): string => join(here, name);
const room = { size: 4, needed: 4 };
const write = (path: string) =>
  writeOutputFile(path, room, (temporary) => writeFile(temporary, 'made'));

beforeEach(() => {
  here = join(folder, `${++count}`);
  mkdirSync(here);
});

describe('writeOutputFile', () => {
  test('replaces a file, and the one that a link leads to', async () => {
    mkdirSync(at('elsewhere'));
    writeFileSync(at('elsewhere/file'), 'old');
    symlinkSync('elsewhere/file', at('link'));
    await write(at('link'));
    expect(lstatSync(at('link')).isSymbolicLink()).toBe(true);
    expect(readFileSync(at('elsewhere/file'), 'utf8')).toBe('made');
    expect(readdirSync(at('elsewhere'))).toEqual(['file']);
    await write(at('new'));
    expect(readFileSync(at('new'), 'utf8')).toBe('made');
  });

  test('keeps owner and mode of a file that it replaces, and is no input', async () => {
    writeFileSync(at('secret'), 'old', { mode: 0o600 });
    if (process.getuid?.() === 0) chownSync(at('secret'), 1234, 4321);
    const { uid, gid } = statSync(at('secret'));
    await write(at('secret'));
    expect(readFileSync(at('secret'), 'utf8')).toBe('made');
    expect(statSync(at('secret'))).toMatchObject({ mode: 0o100600, uid, gid });
    symlinkSync('secret', at('link'));
    const options = { ...room, inputs: [at('gone'), at('secret')] };
    await expect(writeOutputFile(at('link'), options, async () => {})).rejects.toMatchObject({
      code: 'INPUT_OUTPUT_FILE',
      details: { found: at('secret'), where: at('link') },
    });
    expect(readFileSync(at('secret'), 'utf8')).toBe('made');
  });

  test('refuses what is no file, and leaves the old one when it fails', async () => {
    symlinkSync('nowhere', at('dangling'));
    for (const [path, found] of [
      ['', 'no name'],
      [at('dangling'), 'a link that leads nowhere'],
      [here, 'a folder'],
      ['/dev/null', 'a device or something else'],
    ] as const) {
      await expect(write(path)).rejects.toMatchObject({
        code: 'INPUT_OUTPUT_FILE',
        details: { found },
      });
    }
    writeFileSync(at('file'), 'old');
    const failing = writeOutputFile(at('file'), room, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(readFileSync(at('file'), 'utf8')).toBe('old');
    expect(readdirSync(here).sort()).toEqual(['dangling', 'file']);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'leaves nothing when %s ends it, and dies of that',
    async (signal) => {
      const source = new URL('../../src/install/output-file.ts', import.meta.url).href;
      const script = `
        const { writeOutputFile } = await import(${JSON.stringify(source)});
        await writeOutputFile(${JSON.stringify(at('out'))}, { size: 4, needed: 4 }, async () => {
          console.log('there');
          await new Promise((resolve) => setTimeout(resolve, 60_000));
        });`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      expect(readdirSync(here)).toEqual([`out.${child.pid}.part`]);
      child.kill(signal);
      expect(await once(child, 'exit')).toEqual([null, signal]);
      expect(readdirSync(here)).toEqual([]);
    },
  );
});
