import { type Bundle, openBundle } from '../bundle/bundle-file.ts';
import { BundleRemote } from '../bundle/bundle-remote.ts';
import { nodeBlockDevice } from '../disk/node-block-device.ts';
import { requireFile } from './input-file.ts';

/** Throws NOT_FOUND_FILE. */
export function requireBundle(path: string): Promise<void> {
  return requireFile(path, 'a bundle', 'check the path; is the stick mounted?');
}

/** Opens the bundle in a file while `use` runs. Throws CORRUPT_BUNDLE. */
export async function withBundle<T>(
  path: string,
  use: (bundle: Bundle, remote: BundleRemote) => Promise<T>,
): Promise<T> {
  await requireBundle(path);
  const file = await nodeBlockDevice(path).open('read');
  try {
    const bundle = await openBundle(file, path);
    return await use(bundle, new BundleRemote(bundle, async () => {}));
  } finally {
    await file.close();
  }
}
