import { describe, expect, it } from 'vitest';
import { checkLockfile, completeLockfile, findMissing } from './lockfile.ts';

const lock = {
  lockfileVersion: 3,
  packages: {
    '': {},
    'node_modules/tool': {
      version: '2.0.0',
      license: 'MIT',
      dev: true,
      optionalDependencies: {
        '@tool/linux-x64-gnu': '2.0.0',
        '@tool/linux-arm64-musl': '2.0.0',
        '@tool/darwin-arm64': '2.0.0',
      },
    },
    'node_modules/@tool/linux-x64-gnu': { version: '2.0.0', optional: true, os: ['linux'], cpu: ['x64'] },
  },
};

describe('the lock file', () => {
  it('names the packages of other platforms that are absent, and completes the file with them', () => {
    expect(checkLockfile(lock)).toHaveLength(2);
    const completed = completeLockfile(lock);
    expect(checkLockfile(completed)).toEqual([]);
    expect(findMissing(lock)).toEqual({
      'node_modules/@tool/linux-arm64-musl': {
        version: '2.0.0',
        cpu: ['arm64'],
        dev: true,
        libc: ['musl'],
        license: 'MIT',
        optional: true,
        os: ['linux'],
      },
      'node_modules/@tool/darwin-arm64': {
        version: '2.0.0',
        cpu: ['arm64'],
        dev: true,
        license: 'MIT',
        optional: true,
        os: ['darwin'],
      },
    });
    expect(Object.keys(completed.packages)).toEqual([
      '',
      'node_modules/@tool/darwin-arm64',
      'node_modules/@tool/linux-arm64-musl',
      'node_modules/@tool/linux-x64-gnu',
      'node_modules/tool',
    ]);
  });

  it('refuses an address of a registry', () => {
    const packages = { '': {}, 'node_modules/a': { version: '1.0.0', resolved: 'https://registry.example/a.tgz' } };
    expect(checkLockfile({ packages })[0]).toContain('node_modules/a has an address');
  });
});
