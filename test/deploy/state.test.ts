import { describe, expect, it } from 'vitest';
import {
  emptyState,
  formatState,
  type HistoryEvent,
  type MachineState,
  parseState,
  stateLimit,
  withEvent,
  withHold,
  withoutHold,
} from '../../src/deploy/state.ts';
import { formatWriting, parseWriting } from '../../src/deploy/writing.ts';
import fc from '../support/fast-check.ts';

const commit = 'ab'.repeat(32);
const event: HistoryEvent = {
  time: 1_800_000_000,
  kind: 'fell-back',
  deployment: 'abababababab.0',
  slot: 'b',
  commit,
  version: '3.20.3',
  reason: 'health web failed: exit 1',
};
const state: MachineState = {
  history: [event],
  held: [{ commit, since: 1, reason: 'why' }],
  baseline: { deployment: 'x', failing: ['ntp'] },
};

describe('state.json', () => {
  it('is read as it was written', () => {
    expect(parseState(formatState(state))).toEqual(state);
    expect(parseState(formatState(emptyState))).toEqual(emptyState);
  });

  it('stays below its limit however long it is used and whatever reasons say', () => {
    let long = state;
    for (let index = 0; index < 100; index += 1) {
      long = withEvent(long, { ...event, time: index, reason: '\u2028"\\'.repeat(1000) });
      long = withHold(long, {
        commit: index.toString(16).padStart(64, '0'),
        since: 0,
        reason: '\n'.repeat(9999),
      });
    }
    const bytes = formatState(long);
    expect(bytes.length).toBeLessThan(stateLimit);
    const read = parseState(bytes);
    expect(read?.history).toHaveLength(50);
    expect(read?.history.at(-1)?.time).toBe(99);
    expect(read?.held).toHaveLength(20);
  });

  it('counts as lost when it is damaged, and never throws', () => {
    const bytes = formatState(state);
    for (let end = 0; end < bytes.length - 2; end += 1) {
      expect(parseState(bytes.subarray(0, end))).toBeUndefined();
    }
    const values = [
      null,
      [],
      {},
      { version: 2, history: [], held: [] },
      { version: 1, history: {} },
    ];
    for (const value of values)
      expect(parseState(Buffer.from(JSON.stringify(value)))).toBeUndefined();
    for (const change of [
      { time: -1 },
      { time: '1' },
      { kind: 'exploded' },
      { slot: 'c' },
      { commit: 'ab' },
      { deployment: '../x' },
      { reason: 'x'.repeat(501) },
      { version: 3 },
    ]) {
      const value = { version: 1, history: [{ ...event, ...change }], held: [] };
      expect(parseState(Buffer.from(JSON.stringify(value)))).toBeUndefined();
    }
    fc.assert(fc.property(fc.json(), (text) => void parseState(Buffer.from(text))));
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void parseState(bytes)));
  });

  it('holds a commit once, and lets it go', () => {
    const twice = withHold(state, { commit, since: 2, reason: 'again' });
    expect(twice.held).toEqual([{ commit, since: 2, reason: 'again' }]);
    expect(withoutHold(twice, commit).held).toEqual([]);
  });
});

describe('writing.json', () => {
  const writing = { commit, slot: 'b', deployment: 'x.0', size: 100, durable: 50 } as const;

  it('is read as it was written, and otherwise starts over', () => {
    expect(parseWriting(formatWriting(writing))).toEqual(writing);
    for (const change of [
      { durable: 101 },
      { slot: 'c' },
      { size: 1.5 },
      { commit: '' },
      { version: 2 },
    ]) {
      const value = { version: 1, ...writing, ...change };
      expect(parseWriting(Buffer.from(JSON.stringify(value)))).toBeUndefined();
    }
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void parseWriting(bytes)));
  });
});
