import { type Bundle, openBundle } from '../bundle/bundle-file.ts';
import { BundleRemote } from '../bundle/bundle-remote.ts';
import { nodeBlockDevice } from '../disk/node-block-device.ts';

/** Opens the bundle in a file while `use` runs. Throws CORRUPT_BUNDLE. */
export async function withBundle<T>(
  path: string,
  use: (bundle: Bundle, remote: BundleRemote) => Promise<T>,
): Promise<T> {
  const file = await nodeBlockDevice(path).open('read');
  try {
    const bundle = await openBundle(file, path);
    return await use(bundle, new BundleRemote(bundle, async () => {}));
  } finally {
    await file.close();
  }
}
