import { describe, expect, it } from 'vitest';
import { formatPins, isPinned, parsePins } from '../../../src/deploy/pins/pins.ts';
import fc from '../../support/fast-check.ts';

describe('pins.json', () => {
  it('comes back as it was written', () => {
    const pins = [{ deployment: '0123456789ab.0', since: 1_800_000_000 }];
    expect(parsePins(formatPins(pins))).toEqual(pins);
    expect(parsePins(formatPins([]))).toEqual([]);
  });

  it.each([
    'no JSON',
    '{}',
    '{"version":2,"pins":[]}',
    '{"version":1,"pins":{}}',
    '{"version":1,"pins":[{"deployment":"../x","since":1}]}',
    '{"version":1,"pins":[{"deployment":"a.0","since":-1}]}',
    '{"version":1,"pins":[null]}',
  ])('is damaged when it says %s', (text) => {
    const pins = parsePins(Buffer.from(text));
    expect(pins).toBe('damaged');
    expect(isPinned(pins, 'a.0')).toBe(false);
  });

  it('is read or damaged, whatever it says', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        const pins = parsePins(Buffer.from(text));
        if (pins !== 'damaged') expect(parsePins(formatPins(pins))).toEqual(pins);
      }),
    );
  });
});
