import { defineErrors } from '../runtime/errors.ts';

export const simulatorErrors = defineErrors({
  MACH1701: {
    message: '"{given}" is not a scenario; there are {names}',
    help: 'Choose one of the named scenarios; `mach simulate city --help` says what each of them does.',
  },
  MACH1702: {
    message: '{option}: {reason}',
    help: 'An option of `mach simulate city` cannot be understood. `mach simulate city --help` shows each with an example.',
  },
  MACH1703: {
    message: 'hospital {hospital} could not deliver to {address} for about {seconds} s: {reason}',
    help: 'Start the engine first (`mach run ...`), and compare the address with the `listen` of its hl7-mllp source.',
  },
  MACH1704: {
    message: 'hospital {hospital}: message {id} was refused {attempts} times in a row with {answer}: {reason}',
    help: 'The receiver answers that it could not store the message. Its own log says why. Nothing after this message was sent.',
  },
  MACH1705: {
    message: 'the 115 feed at {address}: {reason}',
    help: 'Compare the address with the `listen` of the feed-115 source; the code within the reason tells more.',
  },
  MACH1706: {
    message: 'nothing to do: give at least one of --hl7, --feed, --beds, --truth',
    help: 'The city needs somebody to speak to, or a folder for its truth.',
  },
  MACH1707: {
    message: 'the demo empties its folder, and {directory} is not one of a demo: it holds {entry}',
    help: 'Nothing was removed. Name a folder that is empty or not there, or one that a demo has made: `mach demo --data FOLDER`.',
  },
});
