/** `npm run boards`: makes the files of `dashboards/generated` anew. */
import { writeFiles } from './files.ts';

console.log(`${writeFiles()} files written to dashboards/generated`);
