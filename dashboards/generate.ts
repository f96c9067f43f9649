/** The files that Grafana is provisioned with, by their paths below `dashboards/generated`. */
import { boards } from './boards/index.ts';
import { boardUid } from './kit/look.ts';
import { renderBoard } from './kit/render.ts';
import { languages } from './kit/text.ts';
import { provisioningFiles } from './provisioning/files.ts';

export function generateFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const language of languages) {
    for (const board of boards) {
      const file = `boards/${language}/${boardUid(board.uid, language)}.json`;
      files.set(file, `${JSON.stringify(renderBoard(board, language), null, 2)}\n`);
    }
  }
  for (const [name, content] of provisioningFiles()) files.set(`provisioning/${name}`, content);
  return files;
}
