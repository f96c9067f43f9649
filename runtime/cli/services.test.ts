import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { doubtsAbout } from './services.ts';

describe('a NATS server of your own', () => {
  it('is doubted where it may lose what it acknowledged, or takes smaller messages than rows may be', () => {
    expect(doubtsAbout({ syncAlways: true, publishBytesMax: 2 * limits.frameBytesMax })).toEqual([]);
    expect(doubtsAbout({ syncAlways: true, publishBytesMax: undefined })).toEqual([]);
    const [unproven, small] = doubtsAbout({ syncAlways: undefined, publishBytesMax: 1024 * 1024 });
    expect(unproven).toContain('cannot be proven');
    expect(small).toMatch(/takes messages of 1048576 bytes.*MACH3003.*max_payload/);
  });
});
