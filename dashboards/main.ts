/** `npm run boards`: makes the files of `dashboards/generated` anew, and the schema that they are held against where its types have changed. */
import { writeFiles } from './files.ts';
import { makeSchema, schemaIsUpToDate } from './schema/make.ts';

if (!schemaIsUpToDate()) {
  console.log('the types of Classic JSON have changed: making dashboards/schema/classic.schema.json');
  await makeSchema();
}
console.log(`${writeFiles()} files written to dashboards/generated`);
