import { nodeBlockDevice } from '../disk/node-block-device.ts';
import { openBundle } from './bundle-file.ts';
import { BundleRemote } from './bundle-remote.ts';

/** Opens the bundle in a file; `close` of what is returned closes it. Throws CORRUPT_BUNDLE. */
export async function openBundleRemote(path: string): Promise<BundleRemote> {
  const file = await nodeBlockDevice(path).open('read');
  try {
    return new BundleRemote(await openBundle(file, path), () => file.close());
  } catch (error) {
    await file.close();
    throw error;
  }
}
