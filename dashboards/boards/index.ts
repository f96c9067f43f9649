/** All boards, in the order in which folders list them. A system adds its board here. */
import type { Board } from '../kit/board.ts';
import { emergency } from './emergency.ts';

export const boards: readonly Board[] = [emergency];
