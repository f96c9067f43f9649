/** All files that are made from the definitions and the lists of errors: pages, and the schema that editors read. */
import { catalogue, errorLists } from '../../catalogue.ts';
import { runtimeErrorLists } from '../../runtime/cli/error-lists.ts';
import { topologyJsonSchema } from '../../runtime/topology/json-schema.ts';
import { connectorsPage, operatorsPage } from './definitions-page.ts';
import { errorsPage } from './errors-page.ts';
import { renderPage } from './page.ts';

export function renderPages(): { file: string; text: string }[] {
  const { sources, operators, sinks } = catalogue;
  const pages = [
    operatorsPage(operators),
    connectorsPage(sources, sinks),
    errorsPage([...runtimeErrorLists, ...errorLists]),
  ];
  return [
    ...pages.map((page) => ({ file: page.file, text: renderPage(page) })),
    { file: 'topologies/topology.schema.json', text: `${JSON.stringify(topologyJsonSchema(catalogue), null, 2)}\n` },
  ];
}
