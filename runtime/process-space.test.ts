import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { hasEnded, processSpace } from './process-space.ts';

describe('a process', () => {
  it('is seen as ended once it is gone, and no sooner', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1_000)']);
    await once(child, 'spawn');
    expect(hasEnded(child.pid as number)).toBe(false);
    child.kill('SIGSTOP');
    expect(hasEnded(child.pid as number)).toBe(false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(hasEnded(child.pid as number)).toBe(true);
  });

  it('has the space of ids of its children', async () => {
    const program = `import(${JSON.stringify(new URL('./process-space.ts', import.meta.url).href)}).then(({ processSpace }) => process.stdout.write(processSpace() ?? ''))`;
    const child = spawn(process.execPath, ['--import', 'tsx', '-e', program]);
    let text = '';
    child.stdout.on('data', (part) => {
      text += String(part);
    });
    await once(child, 'close');
    expect(text).toBe(processSpace() ?? '');
    if (process.platform === 'linux') expect(text).toMatch(/^[\w-]+ pid:\[\d+\]$/);
  });
});
