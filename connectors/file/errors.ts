import { defineErrors } from '../../runtime/stream/index.ts';

export const fileErrors = defineErrors({
  MACH2701: {
    message: '{path} cannot be written: {reason}',
    help: 'The sink tries again with growing waits, and loses nothing meanwhile. See whether the disk is full, and whether the engine may write to the folder.',
  },
  MACH2702: {
    message: 'the path of the file has {length} characters, more than {max} (pathLengthMax)',
    help: 'The fields in `path` have values that are too long for the name of a folder. The row has become a dead letter. Name the files by shorter fields, computed with map.',
  },
});
