import { nothing } from '../delta-path.ts';
import type { DeltaEnd } from './header.ts';

/** What a full delta is from: an image without a byte. */
export const fromNothing: DeltaEnd = {
  commit: nothing,
  image: {
    size: 0,
    sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  },
};
