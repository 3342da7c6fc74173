import type { PineError } from '../../../error.ts';
import type { HostFacts } from '../survey.ts';
import { refuseLogin, refuseNetwork } from './access.ts';
import { refuseBootLoader } from './boot-loader.ts';
import { refuseFirmware } from './firmware.ts';
import { refuseMachine } from './machine.ts';
import { refuseStorage } from './storage.ts';

/** What of a system can't be taken over, each as the error that it is. Nothing was changed. */
export function findRefusals(facts: HostFacts, wantedDisk?: string): PineError[] {
  return [
    ...refuseMachine(facts),
    ...refuseStorage(facts, wantedDisk),
    ...refuseBootLoader(facts),
    ...refuseFirmware(facts),
    ...refuseNetwork(facts),
    ...refuseLogin(facts),
  ];
}
