import type { SlotName } from '../boot/choice.ts';
import { isRecord, parseJson, text, whole } from './json.ts';

/** Something that happened to a deployment. */
export interface HistoryEvent {
  /** Seconds since 1970. */
  readonly time: number;
  readonly kind: 'armed' | 'confirmed' | 'rolled-back' | 'fell-back' | 'recovered' | 'degraded';
  readonly deployment: string;
  readonly slot: SlotName;
  readonly commit: string;
  readonly version: string;
  /** Why, in words; empty where nothing needs saying. */
  readonly reason: string;
}

/** A commit that is not tried again by itself. */
export interface Hold {
  readonly commit: string;
  readonly since: number;
  readonly reason: string;
}

/** What failed before the upgrade, so that it can't fail the upgrade. */
export interface HealthBaseline {
  readonly deployment: string;
  /** As `baselineOf` gives it. */
  readonly failing: readonly string[];
}

/** What pine remembers about a machine beyond its boot choice and its slots. */
export interface MachineState {
  /** Oldest first. */
  readonly history: readonly HistoryEvent[];
  readonly held: readonly Hold[];
  readonly baseline?: HealthBaseline;
}

export const emptyState: MachineState = { history: [], held: [] };

/** The most that state.json may be, in bytes. */
export const stateLimit = 256 * 1024;
const historyLength = 50;
const heldLength = 20;
const reasonLength = 500;

/**
 * Reads state.json. `undefined` when it is not what pine writes: it then counts as lost, since
 * upgrade and rollback work from the boot choice and the trailers alone.
 */
export function parseState(bytes: Uint8Array): MachineState | undefined {
  const value = parseJson(bytes);
  if (!isRecord(value) || value.version !== 1) return undefined;
  if (!Array.isArray(value.history) || !Array.isArray(value.held)) return undefined;
  const history = value.history.map(parseEvent);
  const held = value.held.map(parseHold);
  const baseline = value.baseline === undefined ? undefined : parseBaseline(value.baseline);
  if (history.length > historyLength || held.length > heldLength || baseline === null) {
    return undefined;
  }
  if (!history.every((event) => event !== undefined)) return undefined;
  if (!held.every((hold) => hold !== undefined)) return undefined;
  return { history, held, ...(baseline && { baseline }) };
}

/** The bytes of state.json. The oldest events and holds are left out beyond what it may hold. */
export function formatState(state: MachineState): Buffer {
  const shortened = <T extends { reason: string }>(entry: T): T => ({
    ...entry,
    reason: entry.reason.slice(0, reasonLength),
  });
  const value = {
    version: 1,
    history: state.history.slice(-historyLength).map(shortened),
    held: state.held.slice(-heldLength).map(shortened),
    baseline: state.baseline,
  };
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

/** The state with one more event. */
export function withEvent(state: MachineState, event: HistoryEvent): MachineState {
  return { ...state, history: [...state.history, event].slice(-historyLength) };
}

/** The state with `commit` held: it will not be tried again by itself. */
export function withHold(state: MachineState, hold: Hold): MachineState {
  const others = state.held.filter((other) => other.commit !== hold.commit);
  return { ...state, held: [...others, hold].slice(-heldLength) };
}

/** The state with `commit` not held. */
export function withoutHold(state: MachineState, commit: string): MachineState {
  return { ...state, held: state.held.filter((hold) => hold.commit !== commit) };
}

const kinds = ['armed', 'confirmed', 'rolled-back', 'fell-back', 'recovered', 'degraded'] as const;

function parseEvent(value: unknown): HistoryEvent | undefined {
  if (!isRecord(value)) return undefined;
  const kind = kinds.find((known) => known === value.kind);
  const slot = value.slot === 'a' || value.slot === 'b' ? value.slot : undefined;
  const deployment = text(value.deployment, /^[0-9a-z.-]{1,32}$/);
  const commit = text(value.commit, /^[0-9a-f]{64}$/);
  const version = text(value.version, /^.{0,200}$/s);
  const reason = text(value.reason, /^.{0,500}$/s);
  const at = whole(value.time);
  if (
    kind === undefined ||
    slot === undefined ||
    deployment === undefined ||
    commit === undefined ||
    version === undefined ||
    reason === undefined ||
    at === undefined
  ) {
    return undefined;
  }
  return { time: at, kind, deployment, slot, commit, version, reason };
}

function parseHold(value: unknown): Hold | undefined {
  if (!isRecord(value)) return undefined;
  const commit = text(value.commit, /^[0-9a-f]{64}$/);
  const reason = text(value.reason, /^.{0,500}$/s);
  const since = whole(value.since);
  if (commit === undefined || reason === undefined || since === undefined) return undefined;
  return { commit, since, reason };
}

function parseBaseline(value: unknown): HealthBaseline | null {
  if (!isRecord(value) || !Array.isArray(value.failing) || value.failing.length > 1000) return null;
  const deployment = text(value.deployment, /^[0-9a-z.-]{1,32}$/);
  const failing = value.failing.map((name) => text(name, /^.{1,255}$/s));
  if (deployment === undefined || !failing.every((name) => name !== undefined)) return null;
  return { deployment, failing };
}
