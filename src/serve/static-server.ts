import { createReadStream } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseRange } from './range.ts';

/** Folders of a repository that are nobody else's business. */
const hidden = /^(tmp|state)(\/|$)/;
/** Named by what they hold: a cache may keep them for ever. A .commitmeta may get more signatures. */
const immutable = /^objects\/[0-9a-f]{2}\/[0-9a-f]{62}\.(commit|dirtree|dirmeta|filez|plan)$/;

/**
 * Serves a repository's files: GET and HEAD, one range, ETag and Last-Modified. For trying things out;
 * docs/serving.md has the configuration of a real web server.
 */
export function createStaticServer(folder: string): Server {
  return createServer((request, response) => {
    answer(folder, request, response).catch(() => response.destroy());
  });
}

async function answer(folder: string, request: IncomingMessage, response: ServerResponse) {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return refuse(response, 405, { allow: 'GET, HEAD' });
  }
  const name = fileName(request.url ?? '/');
  const file = name === undefined ? undefined : await openFile(folder, name);
  if (name === undefined || file === undefined) return refuse(response, 404);
  try {
    await send(file, name, request, response);
  } finally {
    await file.close();
  }
}

async function send(
  file: FileHandle,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { size, mtime } = await file.stat();
  const etag = `"${Math.floor(mtime.getTime()).toString(16)}-${size.toString(16)}"`;
  const modified = mtime.toUTCString();
  response.setHeader('accept-ranges', 'bytes');
  response.setHeader('etag', etag);
  response.setHeader('last-modified', modified);
  response.setHeader('content-type', 'application/octet-stream');
  response.setHeader(
    'cache-control',
    immutable.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache',
  );
  const { headers, method } = request;
  if (headers['if-none-match'] === etag) return refuse(response, 304);
  const condition = headers['if-range'];
  const wanted = condition === undefined || condition === etag || condition === modified;
  const range = wanted ? parseRange(headers.range, size) : undefined;
  if (range === 'unsatisfiable') {
    return refuse(response, 416, { 'content-range': `bytes */${size}` });
  }
  const { start, end } = range ?? { start: 0, end: size };
  if (range !== undefined) response.setHeader('content-range', `bytes ${start}-${end - 1}/${size}`);
  response.writeHead(range === undefined ? 200 : 206, { 'content-length': end - start });
  if (method === 'HEAD' || end === start) {
    response.end();
    return;
  }
  const content = createReadStream('', { fd: file, start, end: end - 1, autoClose: false });
  await pipeline(content, response);
}

/** The path in the repository that a request names; `undefined` for what could lead elsewhere. */
function fileName(url: string): string | undefined {
  try {
    const path = decodeURIComponent(url.replace(/[?#].*$/s, '')).replace(/^\/+/, '');
    const wrong = path.split('/').some((part) => part === '' || part === '.' || part === '..');
    return wrong || path.includes('\0') || hidden.test(path) ? undefined : path;
  } catch {
    return undefined;
  }
}

/** A regular file below the folder; a link that leads out of it is not followed. */
async function openFile(folder: string, name: string): Promise<FileHandle | undefined> {
  try {
    const [root, path] = await Promise.all([realpath(folder), realpath(join(folder, name))]);
    if (!path.startsWith(`${root}/`)) return undefined;
    const file = await open(path, 'r');
    if ((await file.stat()).isFile()) return file;
    await file.close();
    return undefined;
  } catch {
    return undefined;
  }
}

function refuse(response: ServerResponse, status: number, headers: Record<string, string> = {}) {
  if (status !== 304) response.setHeader('content-length', 0);
  response.writeHead(status, headers).end();
}
