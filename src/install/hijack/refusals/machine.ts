import type { PineError } from '../../../error.ts';
import type { HostFacts } from '../survey.ts';
import { refuse } from './refuse.ts';

/** What of the machine itself, and of whoever asks, can't be taken over. */
export function refuseMachine({ userId, machine }: HostFacts): PineError[] {
  const { processor, container, secureBoot, isPine } = machine;
  const where = 'this machine';
  return [
    ...(userId === 0
      ? []
      : [
          refuse('STATE_NOT_ROOT', 'only root may look at all of a machine', [
            'user 0',
            `user ${userId}`,
            where,
            'run it with sudo',
          ]),
        ]),
    ...(container === undefined
      ? []
      : [
          refuse(
            'STATE_CONTAINER',
            'this is a container: it has no disk and no kernel of its own',
            [
              'a machine, virtual or not',
              container,
              where,
              'take over the host, or order a virtual machine',
            ],
          ),
        ]),
    ...(isPine
      ? [
          refuse('STATE_IS_PINE', 'pine runs here already', [
            'another system',
            '/run/pine/boot is there',
            where,
            'nothing is to be done; `pinectl status` says what runs',
          ]),
        ]
      : []),
    ...(secureBoot
      ? [
          refuse('STATE_SECURE_BOOT', 'Secure Boot is on, and pine has no signed boot loader', [
            'Secure Boot off',
            'on',
            'the firmware',
            'switch it off in the firmware, or in the panel of the provider',
          ]),
        ]
      : []),
    ...(processor === 'x64'
      ? []
      : [
          refuse('INPUT_PROCESSOR', 'pine takes over machines with x86-64 only', [
            'x64',
            processor,
            where,
            'install an image instead: `pinectl image`',
          ]),
        ]),
  ];
}
